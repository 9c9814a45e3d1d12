import type { CudaSettings } from '../config/cuda.js';
import { namedGpus, type Device } from '../config/device.js';
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
  if ((device ?? host.devices[0] ?? 'cpu') === 'cpu') return device ? { device } : {};
  if (model.execution === 'inline') return 'execution: inline is for models on the CPU';
  const cuda = planCuda(model.cuda, host.cuda);
  if (cuda.graphs && model.instances > 1) {
    return `cuda.graphs: true takes instances: 1, got ${model.instances}`;
  }
  const sharing = isShared(device, host) ? { sharesWeights: true as const } : {};
  return { ...(device ? { device } : {}), cuda, ...sharing };
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
  if (gpu === undefined) return devices.includes('cpu') ? problem : undefined;
  return devices.includes(`cuda:${gpu}`) ? `cuda:${gpu}` : problem;
}

function planCuda(own: Wanted['cuda'], all: CudaSettings): CudaPlan {
  const memoryLimitBytes = own.memoryLimit ?? all.memoryLimit;
  return {
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    arenaExtend: own.arenaExtend ?? all.arenaExtend,
    convAlgorithmSearch: own.convAlgorithmSearch ?? all.convAlgorithmSearch,
    tf32: own.tf32 ?? all.tf32,
    graphs: own.graphs ?? all.graphs,
  };
}
