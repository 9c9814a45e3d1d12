import { beforeEach, describe, expect, test } from 'vitest';
import type { Engine, EngineModel, EngineResult } from '../../src/native/engine.js';
import type { GenerationPlan, ModelPlan, VersionPlan } from '../../src/registry/plan.js';
import { PrepareError, RestoreError } from '../../src/registry/failures.js';
import { Registry } from '../../src/registry/registry.js';
import type { TensorSignature } from '../../src/rpc/tensor.js';
import { versionOptions } from '../support/version-options.js';

/** An engine whose loads, runs and unloads end when the test says so. */
class SteeredEngine {
  readonly lane = { setRoutes: () => {} };
  readonly loads: Load[] = [];
  readonly loaded: SteeredModel[] = [];
  #onLoad: (() => void) | undefined;

  load(
    { modelPath }: { modelPath: string },
    onMapped: () => void,
    signal: AbortSignal,
  ): Promise<SteeredModel> {
    return new Promise((resolve, reject) => {
      const finish = (signature = SIGNATURE) => {
        onMapped();
        this.loaded.push(new SteeredModel(modelPath, signature));
        resolve(this.loaded.at(-1) as SteeredModel);
      };
      const fail = (reason: string) => {
        reject(new Error(reason));
      };
      this.loads.push({ modelPath, signal, finish, fail });
      this.#onLoad?.();
    });
  }

  /** The load with this index, once it has begun. */
  async begun(index: number): Promise<Load> {
    while (this.loads.length <= index) await new Promise<void>((wake) => (this.#onLoad = wake));
    return this.loads[index] as Load;
  }

  /** Paths of the models that are loaded and not unloaded. */
  get held(): string[] {
    return this.loaded.filter(({ isUnloaded }) => !isUnloaded).map(({ path }) => path);
  }
}

interface Load {
  modelPath: string;
  signal: AbortSignal;
  finish(signature?: EngineModel['signature']): void;
  fail(reason: string): void;
}

class SteeredModel {
  readonly mappedBytes = 100;
  isUnloaded = false;
  unloads: (() => void) | undefined;
  holdsUnload = false;
  readonly runs: (() => void)[] = [];

  constructor(
    readonly path: string,
    readonly signature: EngineModel['signature'],
  ) {}

  infer(): Promise<EngineResult> {
    const result = { outputs: {}, timing: { queueUs: 0, computeUs: 0, batchSize: 1 } };
    return new Promise((resolve) => this.runs.push(() => resolve(result)));
  }

  async unload(): Promise<void> {
    if (this.holdsUnload) await new Promise<void>((resolve) => (this.unloads = resolve));
    this.isUnloaded = true;
  }
}

const x: TensorSignature = { name: 'x', datatype: 'FP32', shape: [4] };
const SIGNATURE = { inputs: [x], outputs: [] };
const OTHER_SIGNATURE = { inputs: [{ ...x, shape: [5] }], outputs: [] };

const versionPlan = (version: number, key = `${version}`): VersionPlan => ({
  version,
  modelPath: `/${key}`,
  fingerprint: key,
  key,
  options: versionOptions(),
});

/** A generation of one model, the last version active. */
function plan(generation: number, keys: readonly string[], more: Partial<ModelPlan> = {}) {
  const versions = keys.map((key) => versionPlan(parseInt(key), key));
  const active = versions.at(-1)?.version ?? 0;
  return { generation, models: [{ name: 'm', active, labels: {}, versions, ...more }] };
}

let engine: SteeredEngine;
let registry: Registry;
let nextLoad: number;

beforeEach(() => {
  engine = new SteeredEngine();
  registry = new Registry(engine as unknown as Engine, {
    device: 'cpu',
    drainTimeoutMs: 60_000,
  });
  nextLoad = 0;
});

const finishLoad = async (signature?: EngineModel['signature']) => {
  (await engine.begun(nextLoad++)).finish(signature);
};

async function prepare(attempt: number, next: GenerationPlan, loads: number): Promise<void> {
  const done = registry.prepare(attempt, next);
  for (let i = 0; i < loads; i++) await finishLoad();
  await done;
}

async function serve(attempt: number, next: GenerationPlan, loads: number): Promise<void> {
  await prepare(attempt, next, loads);
  registry.commit(attempt);
  await settled();
}

/** Everything that needs no steering has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

async function failuresOf(prepared: Promise<unknown>): Promise<string[]> {
  const error: unknown = await prepared.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PrepareError)) throw new Error('it did not fail to prepare');
  return error.failures.map(({ version, reason }) => `${version}: ${reason}`);
}

const states = () => [...registry.current.versions()].map((v) => `${v.number} ${v.state}`);
const all = () => [...new Set(registry.allVersions())].map((v) => `${v.number} ${v.state}`);

describe('a generation', () => {
  test('is not served before it is committed', async () => {
    await prepare(1, plan(1, ['1']), 1);
    expect([registry.current.generation, states()]).toEqual([0, []]);
    expect(registry.commit(1)).toBeGreaterThanOrEqual(0);
    expect([registry.current.generation, states()]).toEqual([1, ['1 active']]);
  });

  test('keeps what is served already, and unloads what it has no more', async () => {
    await serve(1, plan(1, ['1', '2']), 2);
    const two = registry.current.resolve('m', 2);
    await serve(2, plan(2, ['2', '3']), 1);
    expect(registry.current.resolve('m', 2)).toBe(two);
    expect(states()).toEqual(['2 ready', '3 active']);
    expect(engine.held).toEqual(['/2', '/3']);
  });

  test('loads a version again whose key is another one', async () => {
    await serve(1, plan(1, ['1']), 1);
    await serve(2, plan(2, ['1-changed']), 1);
    expect([states(), engine.held]).toEqual([['1 active'], ['/1-changed']]);
  });

  test('without a model unloads it', async () => {
    await serve(1, plan(1, ['1']), 1);
    await serve(2, { generation: 2, models: [] }, 0);
    expect([states(), engine.held]).toEqual([[], []]);
  });

  test('shows every version that is made for it, also those that wait for others', async () => {
    const done = registry.prepare(1, plan(1, ['1', '2']));
    await finishLoad();
    await engine.begun(1);
    expect(all()).toEqual(['1 ready', '2 mapping']);
    await finishLoad();
    await done;
    expect(all()).toEqual(['1 ready', '2 ready']);
    expect([...registry.allVersions()].map(({ mappedBytes }) => mappedBytes)).toEqual([100, 100]);
  });
});

describe('a generation that cannot be prepared', () => {
  test('names every version that failed, and leaves nothing behind', async () => {
    await serve(1, plan(1, ['1']), 1);
    const failures = failuresOf(registry.prepare(2, plan(2, ['1', '2', '3', '4'])));
    (await engine.begun(nextLoad++)).fail('corrupt');
    await finishLoad();
    (await engine.begun(nextLoad++)).fail('too new');
    expect(await failures).toEqual(['2: corrupt', '4: too new']);
    expect([states(), all(), engine.held]).toEqual([['1 active'], ['1 active'], ['/1']]);
    expect(() => registry.commit(2)).toThrow('attempt 2 is not prepared');
  });

  test('because its active version has another signature is refused, unless that is allowed', async () => {
    await serve(1, plan(1, ['1']), 1);
    const refused = registry.prepare(2, plan(2, ['1', '2']));
    await finishLoad(OTHER_SIGNATURE);
    await expect(refused).rejects.toMatchObject({
      failures: [
        {
          version: 2,
          isServable: true,
          reason: expect.stringContaining("input 'x' was FP32 [4] and is FP32 [5]") as string,
        },
      ],
    });
    expect(engine.held).toEqual(['/1']);
    const allowed = registry.prepare(3, plan(3, ['1', '2'], { allowSignatureChange: true }));
    await finishLoad(OTHER_SIGNATURE);
    await allowed;
    registry.commit(3);
    expect(states()).toEqual(['1 ready', '2 active']);
  });
});

describe('an attempt that is given up', () => {
  test('once it is prepared unloads what it loaded, and cannot be committed', async () => {
    await serve(1, plan(1, ['1']), 1);
    await prepare(2, plan(2, ['1', '2']), 1);
    await registry.abort(2);
    expect([states(), engine.held]).toEqual([['1 active'], ['/1']]);
    expect(() => registry.commit(2)).toThrow('attempt 2 is not prepared');
  });

  test('while it loads unloads that, and loads no more', async () => {
    const failures = failuresOf(registry.prepare(1, plan(1, ['1', '2'])));
    const load = await engine.begun(0);
    await registry.abort(1);
    load.finish();
    expect(await failures).toEqual([]);
    expect([engine.loads.length, engine.held, all()]).toEqual([1, [], []]);
  });

  test('while it loads cancels that, and names no version as failed', async () => {
    const failures = failuresOf(registry.prepare(1, plan(1, ['1', '2'])));
    const load = await engine.begun(0);
    load.signal.onabort = () => {
      load.fail('cancelled');
    };
    await registry.abort(1);
    expect(await failures).toEqual([]);
    expect([engine.loads.length, all()]).toEqual([1, []]);
  });

  test('long before cancels nothing', async () => {
    const prepared = registry.prepare(1, plan(1, ['1']));
    const load = await engine.begun(nextLoad);
    await registry.abort(7);
    expect(load.signal.aborted).toBe(false);
    await finishLoad();
    await prepared;
    await registry.abort(1);
    expect(load.signal.aborted).toBe(false);
  });

  test('while the one before it is still being unloaded loads nothing', async () => {
    await prepare(1, plan(1, ['1']), 1);
    const [one] = engine.loaded;
    if (!one) throw new Error('nothing was loaded');
    one.holdsUnload = true;
    const failures = failuresOf(registry.prepare(2, plan(2, ['2'])));
    await settled();
    await registry.abort(2);
    one.unloads?.();
    expect(await failures).toEqual([]);
    expect([engine.loads.length, engine.held, all()]).toEqual([1, [], []]);
  });

  test('is not the one that is prepared now', async () => {
    await prepare(2, plan(1, ['1']), 1);
    await registry.abort(1);
    registry.commit(2);
    await registry.abort(2);
    expect([states(), engine.held]).toEqual([['1 active'], ['/1']]);
  });
});

describe('a newer attempt', () => {
  test('cancels the loads of the one before it', async () => {
    const older = failuresOf(registry.prepare(1, plan(1, ['1'])));
    const load = await engine.begun(nextLoad++);
    load.signal.onabort = () => {
      load.fail('cancelled');
    };
    await prepare(2, plan(1, ['2']), 1);
    expect(await older).toEqual([]);
    registry.commit(2);
    expect([states(), engine.held]).toEqual([['2 active'], ['/2']]);
  });

  test('takes the place of one that is prepared', async () => {
    await prepare(1, plan(1, ['1']), 1);
    await prepare(2, plan(1, ['2']), 1);
    expect(() => registry.commit(1)).toThrow('attempt 1 is not prepared');
    registry.commit(2);
    expect([states(), engine.held]).toEqual([['2 active'], ['/2']]);
  });

  test('takes the place of one that loads, whichever load ends first', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const first = engine.loads.length;
      const older = failuresOf(registry.prepare(first + 1, plan(1, [`${first + 1}`])));
      await engine.begun(first);
      const newer = registry.prepare(first + 2, plan(1, [`${first + 2}`]));
      await engine.begun(first + 1);
      for (const index of order) engine.loads[first + index]?.finish();
      expect(await older).toEqual([]);
      await newer;
      registry.commit(first + 2);
      await settled();
      expect([states(), engine.held]).toEqual([[`${first + 2} active`], [`/${first + 2}`]]);
    }
  });
});

describe('a request that has begun', () => {
  test('finishes on its version, which is unloaded after it', async () => {
    await serve(1, plan(1, ['1']), 1);
    const answer = registry.current.resolve('m').infer({ inputs: {} });
    await serve(2, plan(2, ['2']), 1);
    expect([states(), all()]).toEqual([['2 active'], ['2 active', '1 draining']]);
    expect(engine.held).toEqual(['/1', '/2']);
    engine.loaded[0]?.runs[0]?.();
    await answer;
    await settled();
    expect([all(), engine.held]).toEqual([['2 active'], ['/2']]);
  });

  test('holds up the closing, and no other comes after it', async () => {
    await serve(1, plan(1, ['1']), 1);
    const answer = registry.current.resolve('m').infer({ inputs: {} });
    const closed = registry.close();
    await settled();
    expect(() => registry.current.resolve('m')).toThrow('is not served');
    expect(engine.held).toEqual(['/1']);
    engine.loaded[0]?.runs[0]?.();
    await Promise.all([answer, closed]);
    expect([all(), engine.held]).toEqual([[], []]);
  });
});

test('closing gives up what is prepared and waits for what retires', async () => {
  await serve(1, plan(1, ['1']), 1);
  const answer = registry.current.resolve('m').infer({ inputs: {} });
  await serve(2, plan(2, ['2']), 1);
  await prepare(3, plan(3, ['3']), 1);
  let isClosed = false;
  const closed = registry.close().then(() => (isClosed = true));
  await settled();
  expect([isClosed, engine.held]).toEqual([false, ['/1']]);
  engine.loaded[0]?.runs[0]?.();
  await Promise.all([answer, closed]);
  expect(engine.held).toEqual([]);
});

describe('without room for both', () => {
  const unloadsFirst = true;
  const current = () => registry.current.resolve('m');

  /** Version 1 is served, and version 2 about to be loaded in its place. */
  async function replacing(next: GenerationPlan = plan(2, ['2'])) {
    await serve(1, plan(1, ['1']), 1);
    const prepared = registry.prepare(2, next, unloadsFirst);
    prepared.catch(() => {});
    const load = await engine.begun(nextLoad++);
    return { prepared, load };
  }

  test('what is dropped is unloaded before what is new is loaded', async () => {
    const { prepared, load } = await replacing();
    expect([all(), engine.held]).toEqual([['2 mapping'], []]);
    load.finish();
    await prepared;
    expect([states(), current().isAway]).toEqual([['1 retired'], true]);
    registry.commit(2);
    expect([states(), engine.held]).toEqual([['2 active'], ['/2']]);
  });

  test('requests that run are finished before', async () => {
    await serve(1, plan(1, ['1']), 1);
    const answer = current().infer({ inputs: {} });
    const prepared = registry.prepare(2, plan(2, ['2']), unloadsFirst);
    await settled();
    expect([engine.held, engine.loads.length]).toEqual([['/1'], 1]);
    engine.loaded[0]?.runs[0]?.();
    await answer;
    await finishLoad();
    await prepared;
  });

  test('what stays is served on, with its requests', async () => {
    await serve(1, plan(1, ['1', '2']), 2);
    const prepared = registry.prepare(2, plan(2, ['1', '3']), unloadsFirst);
    const load = await engine.begun(nextLoad++);
    expect(registry.current.routes.map(({ version }) => version)).toEqual([1]);
    expect(registry.current.resolve('m', 1).isAway).toBe(false);
    load.finish();
    await prepared;
    registry.commit(2);
    expect(states()).toEqual(['1 ready', '3 active']);
  });

  test('nothing is unloaded where nothing is to be loaded', async () => {
    await serve(1, plan(1, ['1', '2']), 2);
    await registry.prepare(2, plan(2, ['1']), unloadsFirst);
    expect(states()).toEqual(['1 ready', '2 active']);
  });

  test('requests wait until the new one is committed', async () => {
    const { prepared, load } = await replacing();
    let isBack = false;
    const back = registry.returned(current(), undefined, {}).then(() => (isBack = true));
    load.finish();
    await prepared;
    await settled();
    expect(isBack).toBe(false);
    registry.commit(2);
    await back;
    expect(current().number).toBe(2);
  });

  test('the old one is loaded again if the new one fails, and then requests go on', async () => {
    const { prepared, load } = await replacing();
    const back = registry.returned(current(), undefined, {});
    load.fail('broken');
    const restored = await engine.begun(nextLoad++);
    expect(restored.modelPath).toBe('/1');
    restored.finish();
    await back;
    expect(await failuresOf(prepared)).toEqual(['2: broken']);
    expect([states(), engine.held]).toEqual([['1 active'], ['/1']]);
    expect(current().isAway).toBe(false);
  });

  test('the old one is loaded again if the attempt is given up', async () => {
    const { prepared, load } = await replacing();
    load.finish();
    await prepared;
    const aborted = registry.abort(2);
    await finishLoad();
    await aborted;
    expect([states(), engine.held]).toEqual([['1 active'], ['/1']]);
  });

  test('a newer attempt begins when the old one is back', async () => {
    const { prepared, load } = await replacing();
    load.signal.onabort = () => {
      load.fail('cancelled');
    };
    const newer = registry.prepare(3, plan(2, ['3']), unloadsFirst);
    const restored = await engine.begun(nextLoad++);
    expect(restored.modelPath).toBe('/1');
    restored.finish();
    expect(await failuresOf(prepared)).toEqual([]);
    await finishLoad();
    await newer;
    registry.commit(3);
    expect([states(), engine.held]).toEqual([['3 active'], ['/3']]);
  });

  test('a signature that differs from that of the one that is away is refused', async () => {
    const { prepared, load } = await replacing();
    load.finish(OTHER_SIGNATURE);
    await finishLoad();
    const [failure] = await failuresOf(prepared);
    expect(failure).toContain("2: the signature differs from the active version's");
  });

  test('what is committed elsewhere already does not come back', async () => {
    const committed: GenerationPlan = { ...plan(2, ['2']), isCommitted: true };
    const { prepared, load } = await replacing(committed);
    const back = registry.returned(current(), undefined, {});
    load.fail('broken');
    expect(await failuresOf(prepared)).toEqual(['2: broken']);
    expect([all(), engine.held, engine.loads.length]).toEqual([[], [], 2]);
    await registry.prepare(3, { generation: 2, models: [] }, unloadsFirst);
    registry.commit(3);
    await back;
    expect(() => current()).toThrow('not served');
  });

  test('a worker that cannot load the old one again says so', async () => {
    const { prepared, load } = await replacing();
    load.fail('broken');
    (await engine.begun(nextLoad++)).fail('no memory');
    await expect(prepared).rejects.toThrow(RestoreError);
    await expect(prepared).rejects.toThrow('what was unloaded cannot be loaded again: no memory');
    expect(await failuresOf(prepared)).toEqual(['2: broken']);
  });

  test('closing sends away who waits, and loads nothing again', async () => {
    const { prepared, load } = await replacing();
    const back = registry.returned(current(), undefined, {});
    back.catch(() => {});
    load.signal.onabort = () => {
      load.fail('cancelled');
    };
    await registry.close();
    await expect(back).rejects.toThrow('this worker is shutting down');
    expect(await failuresOf(prepared)).toEqual([]);
    expect([engine.held, engine.loads.length]).toEqual([[], 2]);
  });
});
