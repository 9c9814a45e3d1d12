import { spreadOf, type Spread } from './statistics.js';

/** One line of the report: something measured against a budget of DESIGN §8. */

export interface Budget {
  limit: 'at most' | 'at least';
  value: number;
}

export type Unit = '×' | 'ms' | 'ns' | 'failed';

/** What is the same of a check whether it was run or not. */
export interface CheckHead {
  name: string;
  budget: Budget;
  unit: Unit;
}

export interface RunCheck extends CheckHead {
  spread: Spread;
  /** What the figure was made from, one element per repeat; names say the units. */
  values: Readonly<Record<string, readonly number[]>>;
  notes: readonly string[];
}

export interface SkippedCheck extends CheckHead {
  notRun: string;
}

export type Check = RunCheck | SkippedCheck;

export type Verdict = 'PASS' | 'MISS' | 'NOT RUN';

export const atMost = (value: number): Budget => ({ limit: 'at most', value });
export const atLeast = (value: number): Budget => ({ limit: 'at least', value });

/** `figures`: one per repeat; their median is what is judged. */
export function measured(
  name: string,
  budget: Budget,
  figures: readonly number[],
  values: RunCheck['values'],
  { unit = '×', notes = [] }: { unit?: Unit; notes?: readonly string[] } = {},
): RunCheck {
  return { name, budget, unit, spread: spreadOf(figures), values, notes };
}

export function notRun(name: string, budget: Budget, reason: string): SkippedCheck {
  return { name, budget, unit: '×', notRun: reason };
}

export function verdictOf(check: Check): Verdict {
  if ('notRun' in check) return 'NOT RUN';
  const { spread, budget } = check;
  const isMet =
    budget.limit === 'at most' ? spread.median <= budget.value : spread.median >= budget.value;
  return isMet ? 'PASS' : 'MISS';
}
