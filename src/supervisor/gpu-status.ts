import { gpuOf } from '../config/device.js';
import type { GpuReport } from '../worker/gpu-report.js';
import type { SharedWeights } from './weight-sharing.js';

/** A GPU that workers have loaded models for: sums over them, but for its own memory. */
export interface GpuStatus extends GpuReport {
  /** How many of them have. */
  workers: number;
  /** What they share there, of which `modelBytes` counts nothing. */
  shared?: SharedWeights;
}

/** One entry a GPU, in the order of their devices. What is free, the last one that was asked says. */
export function mergeGpus(
  reports: readonly GpuReport[],
  shared: ReadonlyMap<number, SharedWeights> = new Map(),
): GpuStatus[] {
  const merged = new Map<string, GpuStatus>();
  for (const report of reports) {
    const known = merged.get(report.device);
    merged.set(report.device, known ? add(known, report) : { ...report, workers: 1 });
  }
  const byDevice = { numeric: true };
  return [...merged.values()]
    .sort((a, b) => a.device.localeCompare(b.device, undefined, byDevice))
    .map((gpu) => withShared(gpu, shared.get(gpuOf(gpu.device) ?? -1)));
}

function withShared(gpu: GpuStatus, shared: SharedWeights | undefined): GpuStatus {
  return shared ? { ...gpu, shared } : gpu;
}

function add(known: GpuStatus, more: GpuReport): GpuStatus {
  return {
    ...more,
    reservedBytes: known.reservedBytes + more.reservedBytes,
    modelBytes: known.modelBytes + more.modelBytes,
    pinnedBytes: known.pinnedBytes + more.pinnedBytes,
    workers: known.workers + 1,
  };
}
