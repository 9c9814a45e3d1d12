import { median } from '../lib/statistics.js';
import type { BareEngine } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';
import type { Target } from './lib/target.js';

/** Copies between pinned memory of the host and a GPU's: what a load cannot be faster than. */

const BYTES_A_GIGABYTE = 1e9;

export interface Copies {
  figures: Figure[];
  /** In GB/s; none of a processor. */
  toDevice?: number;
}

/** Nothing of a processor. */
export async function measureCopies(
  { engine }: BareEngine,
  { gpu }: Target,
  repeats: number,
): Promise<Copies> {
  if (gpu === undefined) return { figures: [] };
  const speeds = [];
  for (let i = 0; i < repeats; i++) speeds.push(await engine.measureCopies(gpu));
  const inGigabytes = (bytesPerSecond: number) => bytesPerSecond / BYTES_A_GIGABYTE;
  const [to, from] = [
    speeds.map(({ toDeviceBytesPerSecond }) => inGigabytes(toDeviceBytesPerSecond)),
    speeds.map(({ toHostBytesPerSecond }) => inGigabytes(toHostBytesPerSecond)),
  ];
  const figures = [
    figure('copies of 256 MiB to the GPU', 'GB/s', to),
    figure('copies of 256 MiB from the GPU', 'GB/s', from),
  ];
  return { figures, toDevice: median(to) };
}
