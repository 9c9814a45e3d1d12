import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstWorkers, intraOpThreads, threadBudget } from '../../src/supervisor/thread-budget.js';

test.each([
  ['auto', 2, 2],
  ['auto', 64, 4],
  [1, 64, 1],
  [8, 2, 8],
] as const)('%s workers on %i cores are %i', (wanted, cores, workers) => {
  expect(threadBudget(wanted, 0, cores)).toEqual({ cores, workers });
  expect(firstWorkers(wanted, 0, cores)).toBe(workers);
});

test('where their number follows the load, the cores are shared out for the most', () => {
  const elastic = { min: 2, max: 8, upAfter: 5_000, downAfter: 60_000 };
  expect(threadBudget(elastic, 0, 16)).toEqual({ cores: 16, workers: 8 });
  expect(firstWorkers(elastic, 0, 16)).toBe(2);
});

test('on GPUs there is a worker for each of them, unless the number is given', () => {
  expect(firstWorkers('auto', 8, 4)).toBe(8);
  expect(firstWorkers('auto', 1, 64)).toBe(1);
  expect(firstWorkers(2, 8, 64)).toBe(2);
  expect(threadBudget('auto', 2, 64)).toEqual({ cores: 64, workers: 2 });
});

const count = fc.integer({ min: 1, max: 1024 });

test('by default all workers and instances together have no more threads than cores', () => {
  fc.assert(
    fc.property(count, count, count, (cores, workers, instances) => {
      const intraOp = intraOpThreads(
        { instances, threads: { spinning: false } },
        { cores, workers },
      );
      expect(intraOp).toBeGreaterThanOrEqual(1);
      if (intraOp > 1) expect(workers * instances * intraOp).toBeLessThanOrEqual(cores);
      expect(workers * instances * (intraOp + 1)).toBeGreaterThan(cores);
    }),
  );
});

test('a model that says how many gets them', () => {
  const threads = { intraOp: 16, spinning: false };
  expect(intraOpThreads({ instances: 2, threads }, { cores: 4, workers: 4 })).toBe(16);
});
