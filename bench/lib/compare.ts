import type { Unit } from './check.js';
import { keyOf, newestOfEach, type Result } from './result.js';
import type { Spread } from './statistics.js';

/** Two runs, figure by figure. */

/**
 * `same`: the values of both runs overlap, so that noise explains the difference. `unknown`: they
 * differ, and one run has a single value, which tells nothing of its noise.
 */
export type Judgement = 'better' | 'worse' | 'same' | 'unknown';

export interface Comparison {
  name: string;
  unit: Unit;
  before: Spread;
  after: Spread;
  /** After ÷ before: of the medians, and the least and the most that minima and maxima allow. */
  ratio: Spread;
  judgement: Judgement;
}

export interface ComparedRuns {
  comparisons: Comparison[];
  /** Names of figures that only one of them measured. */
  onlyBefore: string[];
  onlyAfter: string[];
}

export function compareRuns(before: readonly Result[], after: readonly Result[]): ComparedRuns {
  const olds = measuredByKey(before);
  const news = measuredByKey(after);
  const comparisons = [...news].flatMap(([key, result]) => {
    const old = olds.get(key);
    return old ? [compareFigures(old, result)] : [];
  });
  return {
    comparisons,
    onlyBefore: namesOfMissing(olds, news),
    onlyAfter: namesOfMissing(news, olds),
  };
}

type Measured = Result & { spread: Spread };

function measuredByKey(results: readonly Result[]): Map<string, Measured> {
  const measured = results.filter((result): result is Measured => result.spread !== undefined);
  return new Map(newestOfEach(measured).map((result) => [keyOf(result), result]));
}

function namesOfMissing(from: ReadonlyMap<string, Measured>, other: ReadonlyMap<string, Measured>) {
  return [...from].flatMap(([key, { name }]) => (other.has(key) ? [] : [name]));
}

function compareFigures(old: Measured, result: Measured): Comparison {
  const { name, unit, spread: after } = result;
  const before = old.spread;
  const ratio = {
    median: divide(after.median, before.median),
    min: divide(after.min, before.max),
    max: divide(after.max, before.min),
  };
  return { name, unit, before, after, ratio, judgement: judge(before, result) };
}

function judge(before: Spread, { spread: after, unit, budget }: Measured): Judgement {
  if (after.min <= before.max && before.min <= after.max) return 'same';
  // Repeats of a count may well be equal.
  if (unit !== 'failed' && [before, after].some(({ min, max }) => min === max)) return 'unknown';
  const isHigher = after.median > before.median;
  return isHigher === (budget?.limit === 'at least') ? 'better' : 'worse';
}

/** Counts of failures are often zero in both. */
function divide(numerator: number, denominator: number): number {
  return numerator === denominator ? 1 : numerator / denominator;
}

/** What else than the code differs between the two runs, in words. */
export function differencesOfMachines(
  before: readonly Result[],
  after: readonly Result[],
): string[] {
  const news = conditionsOf(after);
  return [...conditionsOf(before)].flatMap(([what, old]) => {
    const now = news.get(what) ?? 'none';
    return now === old ? [] : [`${what}: ${old} → ${now}`];
  });
}

/** All that a run was measured under; several where it was measured in parts. */
function conditionsOf(results: readonly Result[]): Map<string, string> {
  const all = new Map<string, Set<string>>();
  for (const { cpu, cores, memoryGb, kernel, placement, versions } of results) {
    const machine = `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}`;
    for (const [what, value] of Object.entries({ machine, placement, ...versions })) {
      all.set(what, (all.get(what) ?? new Set()).add(value));
    }
  }
  return new Map([...all].map(([what, values]) => [what, [...values].sort().join(' and ')]));
}
