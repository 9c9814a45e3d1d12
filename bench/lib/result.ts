import { verdictOf, type Budget, type Check, type Unit, type Verdict } from './check.js';
import type { RunFacts } from './machine.js';
import type { Spread } from './statistics.js';

/** A line of results.jsonl: one figure, and what it depends on besides the code. */
export interface Result extends RunFacts {
  /** NATIVE for those of the native suite. */
  row: string;
  name: string;
  unit: Unit;
  quick: boolean;
  /** Of figures that have one; others are the better the lower they are. */
  budget?: Budget;
  verdict?: Verdict;
  /** Of figures that were measured. */
  spread?: Spread;
  values?: Readonly<Record<string, readonly number[]>>;
  notes?: readonly string[];
  notRun?: string;
}

export const NATIVE = 'native';

export function toResult(row: string, check: Check, quick: boolean, facts: RunFacts): Result {
  return { row, verdict: verdictOf(check), ...check, quick, ...facts };
}

/** Nothing for a figure without a budget. */
export function toCheck(result: Result): Check | undefined {
  const { name, unit, budget, spread, values = {}, notes = [], notRun } = result;
  if (!budget) return undefined;
  if (spread) return { name, unit, budget, spread, values, notes };
  return { name, unit, budget, notRun: notRun ?? 'not measured' };
}

/** The newest result of each figure; quick runs measure other figures than full ones. */
export function newestOfEach<R extends Result>(results: readonly R[]): R[] {
  return [...new Map(results.map((result) => [keyOf(result), result])).values()];
}

/** What is the same in two results of one figure. */
export function keyOf({ row, name, quick }: Result): string {
  return JSON.stringify([row, name, quick]);
}
