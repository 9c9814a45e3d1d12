import { expect, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import type { NativeModelOptions } from '../../src/native/binding.js';
import type { Engine } from '../../src/native/engine.js';
import { loadVersion } from '../../src/registry/load-version.js';
import type { VersionOptions, VersionPlan } from '../../src/registry/plan.js';
import { Version } from '../../src/registry/version.js';
import type { WeightSource } from '../../src/registry/weight-source.js';
import { versionOptions } from '../support/version-options.js';

const CUDA = { tf32: true, graphs: false } as const;
const SLAB = { handle: 'ab', bytes: 1 };
const ARTIFACT = { form: 'prepacked', bytes: 1, loadBytes: 7, privateBytes: 1 } as const;

/** What the engine is asked to load. It loads nothing. */
async function asked(
  device: Device,
  options: Partial<VersionOptions>,
  artifact: VersionPlan['artifact'] = { ...ARTIFACT, unpackedSlowdown: 0 },
): Promise<NativeModelOptions> {
  let taken: NativeModelOptions | undefined;
  const load = (given: NativeModelOptions) => {
    taken = given;
    return Promise.reject(new Error('nothing is loaded here'));
  };
  const version = new Version('m', {
    ...{ version: 1, modelPath: '/m/model.onnx', fingerprint: 'f', key: 'k', artifact },
    options: versionOptions(options),
  });
  const context = { engine: { load } as unknown as Engine, device };
  await expect(loadVersion(context, version, () => undefined)).rejects.toThrow('nothing is loaded');
  if (!taken) throw new Error('the engine was not asked');
  return taken;
}

test("on the processor an artifact's optimised form is used, and no GPU", async () => {
  const options = await asked('cpu', { execution: 'inline' });
  expect(options).toMatchObject({ optimised: true, unpacked: false, execution: 'inline' });
  expect(options).not.toHaveProperty('cuda');
});

test("without a device of its own a version runs on its worker's GPU, by threads", async () => {
  const options = await asked('cuda:1', { cuda: CUDA });
  expect(options).toMatchObject({
    ...{ execution: 'threaded', reserveBytes: 7 },
    cuda: { deviceId: 1, ...CUDA },
  });
  expect(options).not.toHaveProperty('optimised');
  expect(options).not.toHaveProperty('unpacked');
});

test("a version's own device beats that of its worker", async () => {
  expect(await asked('cuda:1', { device: 'cuda:3', cuda: CUDA })).toMatchObject({
    cuda: { deviceId: 3 },
  });
  expect(await asked('cuda:1', { device: 'cpu' })).not.toHaveProperty('cuda');
});

/** How a version that is to share its weights is loaded by an engine that refuses what `refuses` says. */
function loadSharing(
  source: Partial<WeightSource>,
  refuses: (given: NativeModelOptions) => boolean = () => false,
) {
  const given: NativeModelOptions[] = [];
  const returned: string[] = [];
  const load = (options: NativeModelOptions, onMapped: () => void) => {
    given.push(options);
    onMapped();
    if (refuses(options)) return Promise.reject(new Error('the weights differ'));
    const unload = () => Promise.resolve(void returned.push('unloaded'));
    return Promise.resolve({ mappedBytes: 1, signature: { inputs: [], outputs: [] }, unload });
  };
  const version = new Version('m', {
    ...{ version: 1, modelPath: '/m/model.onnx', fingerprint: 'f', key: 'k' },
    artifact: { ...ARTIFACT, form: 'external', device: 'cuda', unpackedSlowdown: 0 },
    options: versionOptions({
      ...{ cuda: CUDA, sharesWeights: true },
      warmup: { runs: 0, shapes: {}, maxDurationMs: 1 },
    }),
  });
  const borrow = () => {
    return Promise.resolve({
      slab: SLAB,
      giveBack: () => void returned.push('given back'),
      settle: () => void returned.push(`settled when ${version.state}`),
    });
  };
  const context = {
    engine: { load } as unknown as Engine,
    device: 'cuda:1' as const,
    weights: { borrow, ...source },
  };
  const loaded = loadVersion(context, version, () => undefined);
  return { version, given, returned, loaded };
}

test('weights that are shared are used, and given back once the model is unloaded', async () => {
  const { version, given, returned, loaded } = loadSharing({});
  await loaded;
  expect(given.map(({ cuda }) => cuda)).toEqual([{ deviceId: 1, ...CUDA, weights: SLAB }]);
  expect(version.problem).toBeUndefined();
  expect(returned).toEqual(['settled when ready']);
  await version.retire(0);
  expect(returned.slice(1)).toEqual(['unloaded', 'given back']);
});

test('where shared weights cannot be used, the version has its own and says why', async () => {
  const refuses = ({ cuda }: NativeModelOptions) => cuda?.weights !== undefined;
  const { version, given, returned, loaded } = loadSharing({}, refuses);
  await loaded;
  expect(version.state).toBe('ready');
  expect(given.map(({ cuda }) => cuda?.weights)).toEqual([SLAB, undefined]);
  expect(returned).toEqual(['given back', 'settled when ready']);
  expect(version.problem).toBe('it has weights of its own on its GPU: the weights differ');
});

test('a load that fails with weights of its own, too, makes way for other workers', async () => {
  const { version, returned, loaded } = loadSharing({}, () => true);
  await expect(loaded).rejects.toThrow('the weights differ');
  expect(version.state).toBe('failed');
  expect(returned).toEqual(['given back', 'settled when failed']);
});

test('where there are no shared weights to be had, the version has its own and says why', async () => {
  const borrow = () => Promise.reject(new Error('no room'));
  const { version, given, loaded } = loadSharing({ borrow });
  await loaded;
  expect(given).toHaveLength(1);
  expect(version.problem).toContain('no room');
});
