import { expect, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import type { NativeModelOptions } from '../../src/native/binding.js';
import type { Engine } from '../../src/native/engine.js';
import { loadVersion } from '../../src/registry/load-version.js';
import type { VersionOptions, VersionPlan } from '../../src/registry/plan.js';
import { Version } from '../../src/registry/version.js';
import { versionOptions } from '../support/version-options.js';

const CUDA = { tf32: true, graphs: false } as const;
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
