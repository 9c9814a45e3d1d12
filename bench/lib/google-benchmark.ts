import type { Unit } from './check.js';
import { median, spreadOf, type Spread } from './statistics.js';

/** The JSON output of Google Benchmark, as far as it is read here. */
export interface GoogleBenchmarkReport {
  benchmarks: readonly GoogleBenchmarkRun[];
}

export interface GoogleBenchmarkRun {
  /** The case: the same for all its repeats. */
  run_name: string;
  run_type: 'iteration' | 'aggregate';
  error_occurred?: boolean;
  error_message?: string;
  /** Of one iteration; absent after an error. */
  real_time?: number;
  time_unit?: keyof typeof NANOSECONDS;
  /** Allocations of one iteration, where they were counted. */
  allocs?: number;
}

export interface NativeFigure {
  name: string;
  unit: Unit;
  spread: Spread;
}

const NANOSECONDS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

/** Time of one iteration of each case, sorted by name. Throws if a case failed. */
export function readFigures(report: GoogleBenchmarkReport): NativeFigure[] {
  return gather(report, nanoseconds).map(([name, values]) => ({
    name,
    unit: 'ns',
    spread: spreadOf(values),
  }));
}

/** Allocations of one iteration of each case that counts them, likewise. */
export function readAllocations(report: GoogleBenchmarkReport): [name: string, count: number][] {
  return gather(report, ({ allocs }) => allocs).map(([name, counts]) => [name, median(counts)]);
}

/** By case: a value of each repeat that has one. */
function gather(
  { benchmarks }: GoogleBenchmarkReport,
  valueOf: (run: GoogleBenchmarkRun) => number | undefined,
): [string, number[]][] {
  const all = new Map<string, number[]>();
  for (const run of benchmarks) {
    if (run.error_occurred) throw new Error(`${run.run_name}: ${run.error_message ?? 'failed'}`);
    const value = run.run_type === 'iteration' ? valueOf(run) : undefined;
    if (value === undefined) continue;
    const name = run.run_name.replace(/\/(real|manual)_time(?=$|\/)/, '');
    all.set(name, [...(all.get(name) ?? []), value]);
  }
  return [...all].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}

function nanoseconds({ real_time = NaN, time_unit = 'ns' }: GoogleBenchmarkRun): number {
  return real_time * NANOSECONDS[time_unit];
}
