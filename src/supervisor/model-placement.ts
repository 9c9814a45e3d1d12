import type { CudaSettings } from '../config/cuda.js';
import { gpuOf, namedGpus, type Device } from '../config/device.js';
import type { ModelConfig } from '../config/schema.js';
import type { CudaPlan, VersionOptions } from '../registry/plan.js';

/** What the daemon runs on: one device for each GPU, or the processor alone. */
export interface HostDevices {
  devices: readonly Device[];
  /** Of models whose model.yaml says nothing else. */
  cuda: CudaSettings;
  /** Where it is asked for that workers share weights: how many there are at most. */
  sharers?: number;
}

export type Placement = Pick<VersionOptions, 'device' | 'cuda' | 'sharesWeights'>;
type Wanted = Pick<ModelConfig, 'device' | 'cuda' | 'execution' | 'instances'>;

/**
 * Where a model runs: on its own device, or, without one, on that of each worker. Every worker serves
 * it in either case. Gives the reason where that cannot be.
 */
export function placeModel(model: Wanted, host: HostDevices): Placement | string {
  const device = ownDevice(model.device, host.devices);
  if (typeof device === 'object') return device.problem;
  const own = device ? { device } : {};
  const runsOn = device ?? host.devices[0] ?? 'cpu';
  if (runsOn === 'cpu') return own;
  if (model.execution === 'inline') return 'execution: inline is for models on the CPU';
  if (runsOn === 'webgpu') return own;
  const cuda = planCuda(model.cuda, host.cuda);
  if (cuda.graphs && (model.instances ?? 1) > 1) {
    return `cuda.graphs: true takes instances: 1, got ${model.instances}`;
  }
  const sharing = isShared(device, host) ? { sharesWeights: true as const } : {};
  return { ...own, cuda, ...sharing };
}

/** One gathers the next batch while the other's runs, so that a GPU does not wait for either. */
const INSTANCES_OF_BATCHES_ON_GPU = 2;

/** How many runs of a placed model may be under way at once; CUDA graphs want one thread. */
export function instancesOf(
  { instances, batching }: Pick<ModelConfig, 'instances' | 'batching'>,
  { cuda }: Placement,
): number {
  if (instances !== undefined) return instances;
  return batching && cuda && !cuda.graphs ? INSTANCES_OF_BATCHES_ON_GPU : 1;
}

/** Whether several workers run it on one GPU: on their own if they are more than there are. */
function isShared(device: Device | undefined, { devices, sharers = 0 }: HostDevices): boolean {
  return sharers > (device ? 1 : devices.length);
}

/** Nothing where it is the worker's. */
function ownDevice(
  wanted: string,
  devices: readonly Device[],
): Device | undefined | { problem: string } {
  if (wanted === 'auto') return undefined;
  if (wanted === 'cpu') return devices.includes('cpu') ? undefined : 'cpu';
  const problem = { problem: `device: ${wanted} is none of the daemon's: ${devices.join(', ')}` };
  const [gpu] = namedGpus(wanted);
  if (gpu === undefined) return devices.some(isGpuOfCuda) ? undefined : problem;
  return devices.includes(`cuda:${gpu}`) ? `cuda:${gpu}` : problem;
}

function isGpuOfCuda(device: Device): boolean {
  return gpuOf(device) !== undefined;
}

function planCuda(own: Wanted['cuda'], all: CudaSettings): CudaPlan {
  const memoryLimitBytes = own.memoryLimit ?? all.memoryLimit;
  return {
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    arenaExtend: own.arenaExtend ?? all.arenaExtend,
    convAlgorithmSearch: own.convAlgorithmSearch ?? all.convAlgorithmSearch,
    tf32: own.tf32 ?? all.tf32,
    graphs: own.graphs ?? all.graphs,
    loader: own.loader ?? all.loader,
  };
}
