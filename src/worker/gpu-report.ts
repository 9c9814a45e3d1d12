import { gpuOf, type Device } from '../config/device.js';
import type { NativeGpus } from '../native/binding.js';

/** What a worker tells of a GPU that it has loaded a model for. Bytes of the GPU's memory, but for `pinnedBytes`. */
export interface GpuReport {
  device: Device;
  name: string;
  totalBytes: number;
  /** Whoever has the rest. */
  freeBytes: number;
  /** Set aside for loads of this worker that run. */
  reservedBytes: number;
  /** What loading its versions took; runs take more. */
  modelBytes: number;
  /** Of the host's memory, for inputs and outputs. */
  pinnedBytes: number;
}

export interface PlacedVersion {
  device: Device;
  /** Of the GPU's memory; none of a version that is not loaded. */
  deviceBytes?: number | undefined;
}

/** Asks the driver only where something runs on one of its GPUs; nothing where it does not answer. */
export async function reportGpus(
  askGpus: () => Promise<NativeGpus>,
  versions: readonly PlacedVersion[],
): Promise<GpuReport[]> {
  if (!versions.some(({ device }) => gpuOf(device) !== undefined)) return [];
  const { gpus } = await askGpus().catch(() => ({ gpus: [] }));
  return gpus.flatMap(({ index, name, totalBytes, use }) => {
    if (!use) return [];
    const device: Device = `cuda:${index}`;
    const { freeBytes, reservedBytes, pinnedBytes } = use;
    const modelBytes = bytesOn(device, versions);
    return [{ device, name, totalBytes, freeBytes, reservedBytes, modelBytes, pinnedBytes }];
  });
}

function bytesOn(wanted: Device, versions: readonly PlacedVersion[]): number {
  const placed = versions.filter(({ device }) => device === wanted);
  return placed.reduce((sum, { deviceBytes = 0 }) => sum + deviceBytes, 0);
}
