import type { WorkerStatus } from '../../supervisor/status.js';
import type { Sample } from './steady-load.js';

/** Lines of the demo's report. */

export interface Phase {
  name: string;
  /** In milliseconds of performance.now(). */
  from: number;
  to: number;
}

export function latencyLines(samples: readonly Sample[], phases: readonly Phase[]): string[] {
  return phases.map((phase) => {
    const { name, from, to } = phase;
    const latencies = samplesOf(phase, samples)
      .map(({ latencyMs }) => latencyMs)
      .sort((a, b) => a - b);
    const seconds = ((to - from) / 1000).toFixed(2);
    const quantiles = `p50 ${ms(quantile(latencies, 0.5))}  p99 ${ms(quantile(latencies, 0.99))}`;
    return `${name.padEnd(16)} ${seconds.padStart(5)} s ${String(latencies.length).padStart(6)} requests  ${quantiles}`;
  });
}

export function samplesOf({ from, to }: Phase, samples: readonly Sample[]): readonly Sample[] {
  return samples.filter(({ dueAt }) => dueAt >= from && dueAt < to);
}

/** The smallest value that at least the share `q` of the sorted values does not exceed. */
export function quantile(sorted: readonly number[], q: number): number {
  const index = Math.max(0, Math.ceil(sorted.length * q) - 1);
  return sorted[index] ?? Number.NaN;
}

export function memoryLines(workers: readonly WorkerStatus[]): string[] {
  return workers.map(
    ({ id, privateBytes, sharedBytes }) =>
      `worker ${id}: private ${mebibytes(privateBytes)}, shared ${mebibytes(sharedBytes)}`,
  );
}

function ms(value: number): string {
  return Number.isNaN(value) ? 'none' : `${value.toFixed(2)} ms`.padStart(9);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
