import { verdictOf, type Budget, type Check, type Unit } from './check.js';

/** Checks as lines of text and as a Markdown table. */

const NAME_WIDTH = 70;
const VERDICT_WIDTH = 8;
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

export function figureText(check: Check): string {
  if ('notRun' in check) return '–';
  const { median, min, max } = check.spread;
  const text = (value: number) => format(value, check.unit);
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
  const text = value >= 10 ? value.toFixed(1) : value.toFixed(unit === 'ms' ? 3 : 2);
  return unit === '×' ? `${text}×` : `${text} ${unit}`;
}
