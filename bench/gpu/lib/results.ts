import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { alignColumns } from '../../../src/cli/table.js';
import { budgetText, figureText } from '../../lib/table.js';
import { verdictOf, type Check } from '../../lib/check.js';
import { spreadOf, type Spread } from '../../lib/statistics.js';

/** Something measured that no budget judges. */
export interface Figure {
  name: string;
  unit: 'ms' | 'us' | 'GB/s' | '×';
  spread: Spread;
  /** One element per repeat. */
  values: readonly number[];
  note: string;
}

export type Result = Figure | Check;

export function figure(
  name: string,
  unit: Figure['unit'],
  values: readonly number[],
  note = '',
): Figure {
  return { name, unit, values, note, spread: spreadOf(values) };
}

/** A table with a line for each result. */
export function resultTable(results: readonly Result[]): string[] {
  return alignColumns([
    ['what', 'measured', 'budget', '', ''],
    ...results.map((result) => ('budget' in result ? checkCells(result) : figureCells(result))),
  ]);
}

/** Makes the folder, if need be. */
export function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function checkCells(check: Check): string[] {
  const remark = 'notRun' in check ? check.notRun : check.notes.join('; ');
  const { name, budget, unit } = check;
  return [name, figureText(check), budgetText(budget, unit), verdictOf(check), remark];
}

function figureCells({ name, unit, spread: { median, min, max }, note }: Figure): string[] {
  const text = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
  return [name, `${text(median)} ${unit} (${text(min)} – ${text(max)})`, '', '', note];
}
