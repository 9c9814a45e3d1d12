import type { BareEngine } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';
import type { Target } from './lib/target.js';

/** Copies between pinned memory of the host and a GPU's: what a load cannot be faster than. */

const BYTES_A_GIGABYTE = 1e9;

/** Nothing of a processor. */
export async function measureCopies(
  { engine }: BareEngine,
  { gpu }: Target,
  repeats: number,
): Promise<Figure[]> {
  if (gpu === undefined) return [];
  const speeds = [];
  for (let i = 0; i < repeats; i++) speeds.push(await engine.measureCopies(gpu));
  const inGigabytes = (bytesPerSecond: number) => bytesPerSecond / BYTES_A_GIGABYTE;
  const [to, from] = [
    speeds.map(({ toDeviceBytesPerSecond }) => inGigabytes(toDeviceBytesPerSecond)),
    speeds.map(({ toHostBytesPerSecond }) => inGigabytes(toHostBytesPerSecond)),
  ];
  return [
    figure('copies of 256 MiB to the GPU', 'GB/s', to),
    figure('copies of 256 MiB from the GPU', 'GB/s', from),
  ];
}
