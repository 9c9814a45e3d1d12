import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineModel, EngineRequest, EngineResult } from '../../src/native/engine.js';
import type { WarmUpOptions } from '../../src/registry/plan.js';
import { Version } from '../../src/registry/version.js';
import { warmUp } from '../../src/registry/warmup.js';
import type { Tensor } from '../../src/rpc/tensor.js';
import { versionOptions } from '../support/version-options.js';

/** A model of one input x UINT8 [?, 1] that notes what it is asked, and fails for a row of 99. */
class NotingModel {
  readonly asked: string[] = [];
  readonly deadlines: unknown[] = [];

  constructor(readonly shape: readonly number[] = [-1, 1]) {}

  get signature(): EngineModel['signature'] {
    return { inputs: [{ name: 'x', datatype: 'UINT8', shape: this.shape }], outputs: [] };
  }

  infer({ inputs, deadlineMs }: EngineRequest): Promise<EngineResult> {
    const values = inputs.x?.data as Uint8Array;
    this.asked.push(values.length < 10 ? values.join() : `${values.length} bytes`);
    this.deadlines.push(deadlineMs);
    if (values.includes(99)) return Promise.reject(new Error('no such row'));
    return Promise.resolve({ outputs: {}, timing: { queueUs: 0, computeUs: 0, batchSize: 1 } });
  }
}

interface Setting {
  warmup?: Partial<WarmUpOptions>;
  maxBatch?: number;
  warmupFiles?: readonly string[];
}

function version(model: NotingModel, state: 'warming' | 'active', setting: Setting = {}): Version {
  const { maxBatch, warmup, warmupFiles } = setting;
  const options = versionOptions({
    deadlineMs: 5,
    ...(maxBatch ? { batching: { maxBatch, maxDelayMs: 0 } } : {}),
    warmup: { runs: 1, shapes: {}, maxDurationMs: 60_000, ...warmup },
  });
  const files = warmupFiles ? { warmupFiles } : {};
  const plan = { version: 1, modelPath: '', fingerprint: '', key: '', options, ...files };
  const made = new Version('m', plan);
  made.attach(model as unknown as EngineModel);
  for (const next of ['mapping', 'loading', 'warming'] as const) made.moveTo(next);
  if (state === 'active') for (const next of ['ready', 'active'] as const) made.moveTo(next);
  return made;
}

const rows = (...values: number[]): Record<'x', Tensor> => ({
  x: { datatype: 'UINT8', shape: [values.length, 1], data: Uint8Array.from(values) },
});

/** An active version that has answered these requests. */
async function activeWith(...requests: Record<string, Tensor>[]): Promise<Version> {
  const active = version(new NotingModel(), 'active');
  for (const inputs of requests) await active.infer({ inputs }).catch(() => {});
  return active;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warmswap-warmup-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, ...values: number[]): string {
  const path = join(folder, name);
  const x = { datatype: 'UINT8', shape: [values.length, 1], data: values };
  writeFileSync(path, JSON.stringify({ inputs: { x } }));
  return path;
}

/** What a version that is warmed was asked, where that came from, and what was wrong. */
async function warmed(setting: Setting, active?: Version, model = new NotingModel()) {
  const next = version(model, 'warming', setting);
  await warmUp(next, active);
  return { source: next.warmUpSource, problem: next.warmUpProblem, asked: model.asked };
}

describe('the requests of a warm-up', () => {
  test('are those that the active version has answered, as they came', async () => {
    const setting = { warmupFiles: [file('a.json', 7)] };
    expect(await warmed(setting, await activeWith(rows(1), rows(2, 3)))).toEqual({
      source: 'recorded',
      problem: undefined,
      asked: ['1', '2,3'],
    });
  });

  test('are not those that it has not answered, nor its own warm-up', async () => {
    const active = await activeWith(rows(99), rows(4));
    expect((await warmed({}, active)).asked).toEqual(['4']);
    const warming = version(new NotingModel(), 'warming');
    await warmUp(warming, undefined);
    expect(warming.recorder.requests()).toEqual([]);
  });

  test('are only those that fit the new version', async () => {
    const y = { y: { datatype: 'UINT8', shape: [1], data: Uint8Array.of(1) } as const };
    const active = await activeWith(rows(1), y, rows(2, 3));
    const fixed = new NotingModel([2, 1]);
    expect(await warmed({}, active, fixed)).toMatchObject({ source: 'recorded', asked: ['2,3'] });
  });

  test('are the files, if nothing is recorded that fits', async () => {
    const setting = { warmupFiles: [file('a.json', 7), file('b.json', 8, 9)] };
    for (const active of [undefined, await activeWith()]) {
      expect(await warmed(setting, active)).toMatchObject({ source: 'files', asked: ['7', '8,9'] });
    }
  });

  test('are zeros without either', async () => {
    expect(await warmed({})).toMatchObject({ source: 'generated', asked: ['0'] });
    const shaped = await warmed({ warmup: { shapes: { x: [3, 1] } } });
    expect(shaped.asked).toEqual(['0,0,0']);
  });

  test('run so often as model.yaml says, those of a form that has run once, or not at all', async () => {
    const active = await activeWith(rows(1), rows(2), rows(3, 4), rows(5), rows(6, 7));
    const { asked } = await warmed({ warmup: { runs: 2 } }, active);
    expect(asked).toEqual(['1', '1', '2', '3,4', '3,4', '5', '6,7']);
    const off = await warmed({ warmup: { runs: 0 }, warmupFiles: ['/missing.json'] }, active);
    expect(off).toEqual({ source: undefined, problem: undefined, asked: [] });
  });

  test('have no deadline', async () => {
    const model = new NotingModel();
    await warmed({}, undefined, model);
    expect(model.deadlines).toEqual([undefined]);
  });
});

describe('the batches of a warm-up', () => {
  const sizes = (asked: readonly string[]) => asked.map((values) => values.split(',').length);

  test('have every number of rows, the largest and the smallest first', async () => {
    const { asked } = await warmed({ maxBatch: 5 });
    expect(sizes(asked)).toEqual([5, 1, 2, 3, 4]);
  });

  test('are made of the rows of the requests, which run as they are as well', async () => {
    const { asked } = await warmed({ maxBatch: 3 }, await activeWith(rows(1), rows(2, 3)));
    expect(asked).toEqual(['1,2,3', '1', '1', '2,3', '1,2']);
  });

  test('are those that model.yaml names', async () => {
    const setting = { maxBatch: 8, warmup: { batchSizes: [4, 8], runs: 2 } };
    expect(sizes((await warmed(setting)).asked)).toEqual([4, 4, 8, 8, 1, 1]);
  });

  test('do not have rows of different shapes', async () => {
    const wide = { x: { datatype: 'UINT8', shape: [1, 2], data: Uint8Array.of(2, 3) } as const };
    const active = await activeWith(rows(1), wide);
    const { asked } = await warmed({ maxBatch: 2 }, active, new NotingModel([-1, -1]));
    expect(asked).toEqual(['1,1', '1', '1', '2,3', '2,3,2,3', '2,3']);
  });

  test('are left out where they would be bigger than a message', async () => {
    const row = 22 * 2 ** 20;
    const setting = { maxBatch: 4, warmup: { shapes: { x: [1, row] } } };
    const { asked } = await warmed(setting, undefined, new NotingModel([-1, -1]));
    expect(asked).toEqual([`${row} bytes`, `${2 * row} bytes`]);
  });

  test('are none where rows cannot be joined', async () => {
    const { asked } = await warmed({ maxBatch: 4 }, undefined, new NotingModel([]));
    expect(asked).toEqual(['0']);
  });
});

describe('a warm-up whose time is over', () => {
  const warmup = { maxDurationMs: 0, runs: 3 };

  test('has run the first request once', async () => {
    expect((await warmed({ warmup }, await activeWith(rows(1), rows(2)))).asked).toEqual(['1']);
  });

  test('has run the largest and the smallest batch once', async () => {
    const { asked } = await warmed({ warmup, maxBatch: 4 }, await activeWith(rows(1), rows(2)));
    expect(asked).toEqual(['1,2,1,2', '1']);
  });
});

describe('a warm-up that fails', () => {
  const failing = async (setting: Setting, active?: Version) => {
    const model = new NotingModel();
    const next = version(model, 'warming', setting);
    await warmUp(next, active);
    return next.warmUpProblem;
  };

  test('names the request that the active version has answered', async () => {
    const active = await activeWith(rows(1));
    active.recorder.record(rows(99));
    expect(await failing({}, active)).toBe(
      'warm-up failed with a request that version 1, the active one, has answered, x UINT8 [1, 1]: ' +
        'no such row. warmup.runs: 0 turns the warm-up off',
    );
    expect(await failing({ maxBatch: 2 }, active)).toContain(
      'with 2 rows of requests that version 1',
    );
  });

  test('names the file', async () => {
    const path = file('a.json', 99);
    expect(await failing({ warmupFiles: [path] })).toContain(
      `the file ${path}: x UINT8 [1, 1]: no`,
    );
  });

  test('because a file cannot be used does so also where something is recorded', async () => {
    const path = join(folder, 'a.json');
    writeFileSync(path, '{');
    const { asked, problem } = await warmed({ warmupFiles: [path] }, await activeWith(rows(1)));
    expect(asked).toEqual([]);
    expect(problem).toContain(`${path}: `);
  });
});
