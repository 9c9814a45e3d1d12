import type { Device } from '../../config/device.js';
import { chooseDevice, type DeviceFacts } from './choose-device.js';
import { tryLibrary } from './try-library.js';

/**
 * What looks as if it could be used is used once, before a model depends on it: the facts, and whether a
 * small model runs on each of the GPUs that `wanted` stands for. Rejects with ConfigError if that is refused.
 */
export async function withTrials(facts: DeviceFacts, wanted = 'auto'): Promise<DeviceFacts> {
  const { devices } = chooseDevice(wanted, facts);
  const tried = devices.filter((device) => device !== 'cpu');
  const trials = await Promise.all(tried.map((device) => tryDevice(facts.library?.path, device)));
  return { ...facts, trials: new Map(trials) };
}

async function tryDevice(
  library: string | undefined,
  device: Device,
): Promise<[Device, string | undefined]> {
  const report = await tryLibrary(library, device);
  return [device, 'problem' in report ? report.problem : undefined];
}
