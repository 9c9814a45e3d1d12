import { expect, test } from 'vitest';
import { atLeast, atMost, type Budget } from '../../bench/lib/check.js';
import { compareRuns, differencesOfMachines } from '../../bench/lib/compare.js';
import { resultsOf } from '../../bench/lib/find-run.js';
import type { Result } from '../../bench/lib/result.js';
import { spreadOf } from '../../bench/lib/statistics.js';
import { comparisonLine } from '../../bench/lib/table.js';
import { FACTS } from '../support/bench-facts.js';

function result(name: string, figures: readonly number[], budget?: Budget): Result {
  const spread = spreadOf(figures);
  return { ...FACTS, row: 'row', name, unit: '×', quick: false, spread, ...(budget && { budget }) };
}

const judge = (before: Result, after: Result) => compareRuns([before], [after]).comparisons[0];

test('values that overlap are within noise, however far apart the medians are', () => {
  const comparison = judge(result('a', [1, 2, 9]), result('a', [8, 20, 30]));
  expect(comparison).toMatchObject({
    judgement: 'same',
    ratio: { median: 10, min: 8 / 9, max: 30 },
  });
  expect(judge(result('a', [1, 2]), result('a', [2, 3]))?.judgement).toBe('same');
});

test('what is better depends on the budget; without one less is', () => {
  const judgements = [undefined, atMost(1), atLeast(1)].map((budget) => {
    const [low, high] = [result('a', [1, 2, 3], budget), result('a', [4, 5, 6], budget)];
    return [judge(low, high)?.judgement, judge(high, low)?.judgement];
  });
  expect(judgements).toEqual([
    ['worse', 'better'],
    ['worse', 'better'],
    ['better', 'worse'],
  ]);
});

test('a single value tells nothing of noise, unless it counts failures', () => {
  const [single, repeated] = [result('a', [1]), result('a', [2, 3])];
  expect(judge(single, repeated)?.judgement).toBe('unknown');
  expect(judge(repeated, single)?.judgement).toBe('unknown');
  expect(judge(single, single)?.judgement).toBe('same');
  const failed = (count: number): Result => ({ ...result('failed', [count]), unit: 'failed' });
  expect(judge(failed(0), failed(1))?.judgement).toBe('worse');
});

test('two zeros are equal, and more than zero is worse', () => {
  const none: Result = { ...result('failed', [0, 0, 0], atMost(0)), unit: 'failed' };
  expect(judge(none, none)).toMatchObject({ judgement: 'same', ratio: { median: 1 } });
  const some = { ...none, spread: spreadOf([1, 2, 3]) };
  expect(judge(none, some)?.judgement).toBe('worse');
});

test('the newest result of a figure counts, and quick ones are other figures', () => {
  const before = [result('a', [9]), result('a', [1]), { ...result('b', [1]), quick: true }];
  const after = [result('a', [2]), result('b', [2]), result('c', [1])];
  const { comparisons, onlyBefore, onlyAfter } = compareRuns(before, after);
  expect(comparisons.map(({ name, ratio }) => [name, ratio.median])).toEqual([['a', 2]]);
  expect(onlyBefore).toEqual(['b']);
  expect(onlyAfter).toEqual(['b', 'c']);
});

test('what was not measured is not compared', () => {
  const { spread: _, ...notRun } = { ...result('a', [1]), notRun: 'no Python' };
  expect(compareRuns([notRun], [result('a', [1])]).onlyAfter).toEqual(['a']);
});

test('differences of machine and versions are named', () => {
  const other = { ...result('a', [1]), kernel: '6.2', versions: { node: '22.0.0', ws: '8.0.0' } };
  expect(differencesOfMachines([result('a', [1])], [other])).toEqual([
    'machine: a CPU, 2 cores, 25 GB, Linux 6.1 → a CPU, 2 cores, 25 GB, Linux 6.2',
    'node: 20.0.0 → 22.0.0',
  ]);
  expect(differencesOfMachines([other], [other])).toEqual([]);
});

test('a line has judgement, figure, ratio with its bounds, and both medians', () => {
  const comparison = judge(result('a', [1, 2, 3]), result('a', [4, 5, 6]));
  expect(comparison && comparisonLine(comparison).replace(/ +/g, ' ')).toBe(
    'worse a 2.50× (1.33× – 6.00×) 2.00× → 5.00×',
  );
});

test('a commit may be abbreviated, and one with changes is another', () => {
  const [clean, dirty] = [result('a', [1]), { ...result('a', [1]), commit: 'abc1234+' }];
  const all = [clean, dirty];
  expect(resultsOf(all, 'abc1')).toEqual([clean]);
  expect(resultsOf(all, 'abc1234567')).toEqual([clean]);
  expect(resultsOf(all, 'abc1234+')).toEqual([dirty]);
  expect(resultsOf(all, 'def0')).toEqual([]);
  expect(resultsOf(all, '')).toEqual([]);
});
