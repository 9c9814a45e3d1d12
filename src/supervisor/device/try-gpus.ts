import { gpuOf } from '../../config/device.js';
import { chooseDevice, type DeviceFacts } from './choose-device.js';
import { tryLibrary } from './try-library.js';

/**
 * What looks as if it could be used is used once, before a model depends on it: the facts, and whether a
 * small model runs on each of the GPUs that `wanted` stands for. Rejects with ConfigError if that is refused.
 */
export async function withTrials(facts: DeviceFacts, wanted = 'auto'): Promise<DeviceFacts> {
  const gpus = chooseDevice(wanted, facts).devices.flatMap((device) => gpuOf(device) ?? []);
  const trials = await Promise.all(gpus.map((gpu) => tryGpu(facts.library?.path, gpu)));
  return { ...facts, trials: new Map(trials) };
}

async function tryGpu(
  library: string | undefined,
  gpu: number,
): Promise<[number, string | undefined]> {
  const report = await tryLibrary(library, `cuda:${gpu}`);
  return [gpu, 'problem' in report ? report.problem : undefined];
}
