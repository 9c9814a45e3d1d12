import { compareRuns, differencesOfMachines, type Judgement } from './lib/compare.js';
import { findRun } from './lib/find-run.js';
import { comparisonLine } from './lib/table.js';

/** `npm run bench -- compare A B`: prints B ÷ A for each figure that both have. */
export function compare(args: readonly string[]): void {
  const [a, b, ...more] = args;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new Error('compare takes two files of results, or commits that have some');
  }
  const [before, after] = [findRun(a), findRun(b)];
  const { comparisons, onlyBefore, onlyAfter } = compareRuns(before, after);
  for (const line of differencesOfMachines(before, after)) console.log(`differs: ${line}`);
  for (const comparison of comparisons) console.log(comparisonLine(comparison));
  for (const name of onlyBefore) console.log(`only in ${a}: ${name}`);
  for (const name of onlyAfter) console.log(`only in ${b}: ${name}`);
  const count = (wanted: Judgement) =>
    comparisons.filter(({ judgement }) => judgement === wanted).length;
  console.log(
    `${count('better')} better, ${count('worse')} worse, ${count('same')} within noise, ` +
      `${count('unknown')} of unknown noise`,
  );
}
