import { expect, test } from 'vitest';
import {
  readAllocations,
  readFigures,
  type GoogleBenchmarkRun,
} from '../../bench/lib/google-benchmark.js';

const run = (run_name: string, real_time: number, time_unit: 'ns' | 'us' | 'ms' = 'us') =>
  ({ run_name, run_type: 'iteration', real_time, time_unit }) satisfies GoogleBenchmarkRun;

test('repeats of a case become one figure in nanoseconds', () => {
  const figures = readFigures({
    benchmarks: [
      run('run/rows:1/real_time', 3),
      run('load/manual_time', 2, 'ms'),
      run('run/rows:1/real_time', 5),
      run('run/rows:1/real_time', 4),
      { ...run('run/rows:1/real_time', 1), run_type: 'aggregate' },
    ],
  });
  expect(figures).toEqual([
    { name: 'load', unit: 'ns', spread: { median: 2e6, min: 2e6, max: 2e6 } },
    { name: 'run/rows:1', unit: 'ns', spread: { median: 4000, min: 3000, max: 5000 } },
  ]);
});

test('a case that failed is no figure', () => {
  const failed = { ...run('load', 0), error_occurred: true, error_message: 'no memory' };
  expect(() => readFigures({ benchmarks: [failed] })).toThrow('load: no memory');
});

test('allocations are those of the cases that count them, sorted by name and number', () => {
  const counted = (name: string, allocs: number) => ({ ...run(name, 1), allocs });
  const benchmarks = [counted('run/rows:16', 30), counted('run/rows:2', 20), run('map/open', 1)];
  expect(readAllocations({ benchmarks })).toEqual([
    ['run/rows:2', 20],
    ['run/rows:16', 30],
  ]);
});
