import { ConfigError } from '../../config/parse.js';
import type { LibraryReport } from '../../worker/library-report.js';
import type { CudaProvider } from './cuda-provider.js';
import type { NvidiaHost } from './nvidia.js';
import type { NeededLibrary } from './shared-libraries.js';

/** What is known of this host; what has not been looked at is left out, and not judged. */
export interface DeviceFacts {
  nvidia?: NvidiaHost | undefined;
  library?: LibraryReport | undefined;
  provider?: CudaProvider | undefined;
  /** libcuda.so.1, which comes with the driver. */
  driverLibrary?: NeededLibrary | undefined;
}

export interface DeviceChoice {
  /** All that this build can run on. */
  device: 'cpu';
  reason: string;
}

const NOT_IN_THIS_BUILD = 'cuda is not supported by this build of Warmswap';

/**
 * Decides what models run on. `auto` takes the CPU where CUDA cannot be used; `cuda` is refused then,
 * with every cause. Throws ConfigError.
 */
export function chooseDevice(wanted: string, facts: DeviceFacts): DeviceChoice {
  if (wanted === 'cpu') return { device: 'cpu', reason: 'device: cpu' };
  const problems = cudaProblems(wanted, facts);
  if (wanted === 'auto') return { device: 'cpu', reason: problems.join('; ') };
  throw new ConfigError(`device: ${wanted}`, problems);
}

/** Why CUDA cannot be used, what is most fundamental first. */
function cudaProblems(wanted: string, facts: DeviceFacts): string[] {
  const { nvidia, driverLibrary, library, provider } = facts;
  const gpu = nvidia ? gpuProblems(wanted, nvidia) : [];
  // Who has no GPU, and asks for none, need not hear of libraries.
  if (wanted === 'auto' && gpu.length > 0) return [...gpu, NOT_IN_THIS_BUILD];
  return [
    ...gpu,
    ...(driverLibrary ? missingLibrary(driverLibrary) : []),
    ...(library ? libraryProblems(library) : []),
    ...(provider ? providerProblems(provider) : []),
    NOT_IN_THIS_BUILD,
  ];
}

function gpuProblems(wanted: string, { driver, gpus, isHidden }: NvidiaHost): string[] {
  if (driver === undefined) return ['there is no NVIDIA driver'];
  if (gpus.length === 0) return [`there is no GPU that the NVIDIA driver ${driver} shows`];
  if (isHidden) return ['CUDA_VISIBLE_DEVICES hides every GPU'];
  const numbers = wanted.split(':')[1]?.split(',').map(Number) ?? [];
  const missing = numbers.filter((number) => !gpus.some(({ index }) => index === number));
  const known = gpus.map(({ index }) => index).join(', ');
  return missing.map((number) => `there is no GPU ${number}; the numbers are ${known}`);
}

function libraryProblems(library: LibraryReport): string[] {
  if ('problem' in library) return [library.problem];
  const hasCuda = library.providers.includes('CUDAExecutionProvider');
  return hasCuda ? [] : [`${library.path} is built without the CUDA provider`];
}

function providerProblems({ path, libraries, problem }: CudaProvider): string[] {
  if (problem !== undefined) return [`${path} cannot be read: ${problem}`];
  if (!libraries) return [`${path} is missing`];
  return libraries.flatMap(missingLibrary).map((text) => `${text}, which ${path} needs`);
}

function missingLibrary({ name, path, isOutside }: NeededLibrary): string[] {
  if (path === undefined) return [`${name} is missing`];
  return isOutside ? [`the dynamic loader does not look where ${path} is`] : [];
}
