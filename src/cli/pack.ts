import { dirname, join } from 'node:path';
import { deviceKind, type DeviceKind } from '../config/device.js';
import { loadConfig, type Flags } from '../config/load.js';
import type { DaemonConfig } from '../config/schema.js';
import { loadBinding } from '../native/binding.js';
import { readModelConfig } from '../repository/scan.js';
import { settleDevice } from '../supervisor/device/settle-device.js';
import { placeModel } from '../supervisor/model-placement.js';
import { PackerProcess } from '../supervisor/packer.js';
import { UsageError } from './usage-error.js';

export type PackFlags = Pick<Flags, 'models' | 'store'> & { config?: string; json?: boolean };

/** `warmswap pack MODEL/VERSION`: does what the daemon does before a swap. */
export async function runPack(name: string, { config, json, ...flags }: PackFlags): Promise<void> {
  if (!/^[^/]+\/[1-9]\d*$/.test(name))
    throw new UsageError(`expected MODEL/VERSION, got '${name}'`);
  loadBinding();
  const settings = loadConfig({ file: config, flags, environment: process.env });
  const { models, store, swap, ortLibrary } = settings;
  const device = await artifactDeviceOf(dirname(name), settings);
  const modelPath = join(models, name, 'model.onnx');
  const order = { store: store.path, ortLibrary, jobs: [{ id: 0, modelPath, device }] };
  const packer = new PackerProcess(order, swap.packTimeout, {
    onProgress: (_, step) => console.error(`${name}: ${step}`),
  });
  const result = (await packer.results).get(0);
  if (!result || !('manifest' in result))
    throw new Error(result?.reason ?? 'the packer gave no answer');
  const { form, reason, bytes } = result.manifest;
  const text = `${name}: ${form}, ${(bytes / 2 ** 20).toFixed(1)} MiB at ${result.modelPath}`;
  console.log(
    json ? JSON.stringify(result) : [text, ...(reason === undefined ? [] : [reason])].join('\n'),
  );
}

/** What the daemon would run the model on. */
async function artifactDeviceOf(model: string, settings: DaemonConfig): Promise<DeviceKind> {
  const { devices } = await settleDevice(settings);
  const config = await readModelConfig(join(settings.models, model, 'model.yaml'));
  if ('problem' in config) throw new UsageError(config.problem);
  const placement = placeModel(config, { devices, cuda: settings.cuda });
  if (typeof placement === 'string') throw new UsageError(`${model}: ${placement}`);
  return deviceKind(placement.device ?? devices[0]);
}
