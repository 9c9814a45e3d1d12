import { expect, test } from 'vitest';
import { atMost } from '../../bench/lib/check.js';
import { replaceReport, reportOf } from '../../bench/lib/report.js';
import type { Result } from '../../bench/lib/result.js';
import { spreadOf } from '../../bench/lib/statistics.js';
import { FACTS } from '../support/bench-facts.js';

const RESULT: Result = {
  ...FACTS,
  row: 'row',
  name: 'p50',
  unit: '×',
  quick: false,
  budget: atMost(1.2),
  spread: spreadOf([1, 1.1, 1.3]),
  notes: ['a note'],
};

test('a report has date, commit, machine and versions, and the newest result of each figure', () => {
  const report = reportOf([{ ...RESULT, spread: spreadOf([7]) }, RESULT]);
  expect(report).toContain(
    '2026-01-02, commit abc1234. a CPU, 2 cores, 25 GB, Linux 6.1; node 20.0.0.',
  );
  expect(report).toContain('| p50 | ≤ 1.20× | 1.10× (1.00× – 1.30×) | PASS | a note |');
  expect(report).not.toContain('7.00×');
  expect(report).not.toContain('Quick');
});

test('a report says what was quick or not run, and leaves out figures without a budget', () => {
  const { spread: _, ...notRun } = { ...RESULT, name: 'p99', notRun: 'no Python' };
  const { budget: __, ...native } = { ...RESULT, name: 'run/cpu', unit: 'ns' as const };
  const report = reportOf([notRun, native, { ...RESULT, quick: true }]);
  expect(report).toContain('Quick:');
  expect(report).toContain('| p99 | ≤ 1.20× | – | NOT RUN | no Python |');
  expect(report).not.toContain('run/cpu');
});

test('a report takes the place of the one before', () => {
  const text =
    'before\n<!-- bench report: written by `npm run bench -- publish` -->\n\nold\n\n<!-- end of bench report -->\nafter\n';
  expect(replaceReport(text, 'new')).toBe(text.replace('old', 'new'));
  expect(() => replaceReport('no place', 'new')).toThrow('no place for the report');
});
