import type { DaemonConfig } from '../../config/schema.js';
import { ConfigError } from '../../config/parse.js';
import type { OpenedLibrary } from '../../worker/library-report.js';
import { chooseDevice, type DeviceChoice } from './choose-device.js';
import { readCudaProvider } from './cuda-provider.js';
import { readNvidia, type NvidiaHost } from './nvidia.js';
import { findDriverLibrary, readLibrarySearch } from './shared-libraries.js';
import { withTrials } from './try-devices.js';
import { tryLibrary } from './try-library.js';

type Settings = Pick<DaemonConfig, 'device' | 'ortLibrary'>;

/**
 * Looks at this host as far as the configuration asks for it, and decides what models run on. Rejects
 * with ConfigError if that cannot be, or if `ortLibrary` does not open.
 */
export async function settleDevice({ device, ortLibrary }: Settings): Promise<DeviceChoice> {
  if (device === 'webgpu') {
    const library = await openLibrary(ortLibrary);
    return chooseDevice(device, await withTrials({ library }, device));
  }
  const nvidia = device === 'cpu' ? undefined : await readNvidia();
  const isCudaInQuestion = nvidia !== undefined && mayUseCuda(device, nvidia);
  if (ortLibrary === undefined && !isCudaInQuestion) return chooseDevice(device, { nvidia });
  const library = await openLibrary(ortLibrary);
  if (!isCudaInQuestion) return chooseDevice(device, { nvidia });
  const search = await readLibrarySearch(process.env);
  const provider = await readCudaProvider(library.path, search);
  const driverLibrary = findDriverLibrary(search);
  const facts = await withTrials({ nvidia, driverLibrary, library, provider }, device);
  return chooseDevice(device, facts);
}

function mayUseCuda(device: string, { gpus }: NvidiaHost): boolean {
  return device !== 'auto' || gpus.length > 0;
}

async function openLibrary(ortLibrary: string | undefined): Promise<OpenedLibrary> {
  const library = await tryLibrary(ortLibrary);
  if (!('problem' in library)) return library;
  const source = ortLibrary === undefined ? 'ONNX Runtime' : `ortLibrary: ${ortLibrary}`;
  throw new ConfigError(source, [library.problem]);
}
