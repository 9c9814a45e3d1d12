import { gpuOf } from '../../config/device.js';
import { chooseDevice, type DeviceFacts } from './choose-device.js';
import { tryLibrary } from './try-library.js';

/**
 * What looks as if it could be used is used once, before a model depends on it: the facts, and whether a
 * small model runs on each of the GPUs that `wanted` stands for. Rejects with ConfigError if nothing does.
 */
export async function withTrials(facts: DeviceFacts, wanted = 'auto'): Promise<DeviceFacts> {
  const gpus = chooseDevice(wanted, facts).devices.flatMap((device) => gpuOf(device) ?? []);
  const trials = new Map<number, string | undefined>();
  // One after another: each takes of the host's memory, too.
  for (const gpu of gpus) {
    const report = await tryLibrary(facts.library?.path, `cuda:${gpu}`);
    trials.set(gpu, 'problem' in report ? report.problem : undefined);
  }
  return { ...facts, trials };
}
