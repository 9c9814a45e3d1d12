import { verdictOf, type Budget, type Check, type Unit } from './check.js';
import type { Comparison, Judgement } from './compare.js';
import type { NativeFigure } from './google-benchmark.js';
import type { Spread } from './statistics.js';

/** Checks and comparisons as lines of text, checks as a Markdown table too. */

const NAME_WIDTH = 70;
const VERDICT_WIDTH = 8;
const JUDGEMENT_WIDTH = 13;
const NATIVE_NAME_WIDTH = 42;
const FIGURE_WIDTH = 30;
const BUDGET_WIDTH = 12;

export function textLine(check: Check): string {
  const cells = [
    verdictOf(check).padEnd(VERDICT_WIDTH),
    check.name.padEnd(NAME_WIDTH),
    figureText(check).padEnd(FIGURE_WIDTH),
    budgetText(check.budget, check.unit).padEnd(BUDGET_WIDTH),
    remark(check),
  ];
  return cells.join(' ').trimEnd();
}

/** A time that has no budget. */
export function nativeLine({ name, unit, spread }: NativeFigure): string {
  return `${name.padEnd(NATIVE_NAME_WIDTH)} ${spreadText(spread, unit)}`;
}

export function markdownTable(checks: readonly Check[]): string {
  const lines = checks.map((check) => {
    const cells = [
      check.name,
      budgetText(check.budget, check.unit),
      figureText(check),
      verdictOf(check),
      remark(check),
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| what | budget | measured | | |', '| --- | --- | --- | --- | --- |', ...lines].join(
    '\n',
  );
}

const JUDGEMENTS: Readonly<Record<Judgement, string>> = {
  better: 'better',
  worse: 'worse',
  same: 'within noise',
  unknown: 'noise unknown',
};

export function comparisonLine({
  name,
  unit,
  before,
  after,
  ratio,
  judgement,
}: Comparison): string {
  return [
    JUDGEMENTS[judgement].padEnd(JUDGEMENT_WIDTH),
    name.padEnd(NAME_WIDTH),
    spreadText(ratio, '×').padEnd(FIGURE_WIDTH),
    `${format(before.median, unit)} → ${format(after.median, unit)}`,
  ].join(' ');
}

export function figureText(check: Check): string {
  return 'notRun' in check ? '–' : spreadText(check.spread, check.unit);
}

function spreadText({ median, min, max }: Spread, unit: Unit): string {
  const text = (value: number) => format(value, unit);
  return `${text(median)} (${text(min)} – ${text(max)})`;
}

export function budgetText({ limit, value }: Budget, unit: Unit): string {
  return `${limit === 'at most' ? '≤' : '≥'} ${format(value, unit)}`;
}

function remark(check: Check): string {
  return 'notRun' in check ? check.notRun : check.notes.join('; ');
}

function format(value: number, unit: Unit): string {
  if (unit === 'failed') return String(value);
  if (unit === 'ns') return timeText(value);
  const text = value >= 10 ? value.toFixed(1) : value.toFixed(unit === 'ms' ? 3 : 2);
  return unit === '×' ? `${text}×` : `${text} ${unit}`;
}

/** Three digits, in the unit that suits them. */
function timeText(ns: number): string {
  const [unit, size] = ns >= 1e6 ? ['ms', 1e6] : ns >= 1e3 ? ['µs', 1e3] : ['ns', 1];
  return `${Number((ns / size).toPrecision(3))} ${unit}`;
}
