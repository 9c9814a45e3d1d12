import { gpuOf, namedGpus, type Device } from '../../config/device.js';
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
  /** Why a model did not run on a device, or nothing if it did. */
  trials?: ReadonlyMap<Device, string | undefined> | undefined;
}

export interface DeviceChoice {
  /** All GPUs that models run on, WebGPU's adapter, or the processor. */
  devices: readonly [Device, ...Device[]];
  reason: string;
}

const PROCESSOR: DeviceChoice['devices'] = ['cpu'];

/**
 * Decides what models run on. `auto` takes the GPUs that can be used, or else the CPU; what is asked for
 * by name and cannot be used is refused, with every cause. Throws ConfigError.
 */
export function chooseDevice(wanted: string, facts: DeviceFacts): DeviceChoice {
  if (wanted === 'cpu') return { devices: PROCESSOR, reason: 'device: cpu' };
  if (wanted === 'webgpu') return chooseWebGpu(facts);
  const problems = cudaProblems(wanted, facts);
  const gpus = wantedGpus(wanted, facts);
  const failed = gpus.flatMap((gpu) => trialProblem(`cuda:${gpu}`, facts));
  if (wanted === 'auto') return chooseItself(gpus, problems, failed, facts);
  const all = [...problems, ...failed];
  if (all.length > 0) throw new ConfigError(`device: ${wanted}`, all);
  return { devices: onGpus(gpus), reason: `device: ${wanted}` };
}

function chooseItself(
  gpus: readonly number[],
  problems: readonly string[],
  failed: readonly string[],
  facts: DeviceFacts,
): DeviceChoice {
  if (problems.length > 0) return { devices: PROCESSOR, reason: problems.join('; ') };
  const usable = gpus.filter((gpu) => trialProblem(`cuda:${gpu}`, facts).length === 0);
  if (usable.length === 0) return { devices: PROCESSOR, reason: failed.join('; ') };
  return { devices: onGpus(usable), reason: ['CUDA can be used', ...failed].join('; ') };
}

/** At least one is there where nothing was found wrong. */
function onGpus(gpus: readonly number[]): DeviceChoice['devices'] {
  const [first, ...others] = gpus.map((gpu): Device => `cuda:${gpu}`);
  return first === undefined ? PROCESSOR : [first, ...others];
}

function wantedGpus(wanted: string, { nvidia }: DeviceFacts): number[] {
  const named = namedGpus(wanted);
  return named.length > 0 ? named : (nvidia?.gpus ?? []).map(({ index }) => index);
}

function trialProblem(device: Device, { trials }: DeviceFacts): string[] {
  const problem = trials?.get(device);
  return problem === undefined ? [] : [`no model runs on ${titleOf(device)}: ${problem}`];
}

/** For people. */
export function titleOf(device: Device): string {
  if (device === 'cpu') return 'the CPU';
  return device === 'webgpu' ? 'WebGPU' : `GPU ${gpuOf(device)}`;
}

/** Why CUDA cannot be used, what is most fundamental first. */
function cudaProblems(wanted: string, facts: DeviceFacts): string[] {
  const { nvidia, driverLibrary, library, provider } = facts;
  const gpu = nvidia ? gpuProblems(wanted, nvidia) : [];
  // Who has no GPU, and asks for none, need not hear of libraries.
  if (wanted === 'auto' && gpu.length > 0) return gpu;
  return [
    ...gpu,
    ...(driverLibrary ? missingLibrary(driverLibrary) : []),
    ...(library ? libraryProblems(library, 'CUDA') : []),
    ...(provider ? providerProblems(provider) : []),
  ];
}

/** Only where it is asked for: which adapter WebGPU takes, a daemon cannot choose. */
function chooseWebGpu(facts: DeviceFacts): DeviceChoice {
  const problems = [
    ...(facts.library ? libraryProblems(facts.library, 'WebGpu') : []),
    ...trialProblem('webgpu', facts),
  ];
  if (problems.length > 0) throw new ConfigError('device: webgpu', problems);
  return { devices: ['webgpu'], reason: 'device: webgpu' };
}

function gpuProblems(wanted: string, { driver, gpus, isHidden }: NvidiaHost): string[] {
  if (driver === undefined) return ['there is no NVIDIA driver'];
  if (isHidden) return ['CUDA_VISIBLE_DEVICES hides every GPU'];
  if (gpus.length === 0) return [`there is no GPU that the NVIDIA driver ${driver} shows`];
  const missing = namedGpus(wanted).filter((gpu) => !gpus.some(({ index }) => index === gpu));
  const known = gpus.map(({ index }) => index).join(', ');
  return missing.map((number) => `there is no GPU ${number}; the numbers are ${known}`);
}

function libraryProblems(library: LibraryReport, provider: 'CUDA' | 'WebGpu'): string[] {
  if ('problem' in library) return [library.problem];
  if (library.providers.includes(`${provider}ExecutionProvider`)) return [];
  return [`${library.path} is built without the ${provider} provider`];
}

function providerProblems({ path, libraries, problem }: CudaProvider): string[] {
  if (problem !== undefined) return [`${path} cannot be read: ${problem}`];
  if (!libraries) return [`${path} is missing; "warmswap setup cuda" installs it`];
  return libraries.flatMap(missingLibrary).map((text) => `${text}, which ${path} needs`);
}

function missingLibrary({ name, path, isOutside }: NeededLibrary): string[] {
  if (path === undefined) return [`${name} is missing`];
  return isOutside ? [`the dynamic loader does not look where ${path} is`] : [];
}
