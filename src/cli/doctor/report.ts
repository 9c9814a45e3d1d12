import { alignColumns } from '../table.js';
import type { Check, CheckStatus } from './check.js';

/** What the doctor prints. */
export interface DoctorReport {
  status: CheckStatus;
  checks: readonly Check[];
}

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL' };

export function toReport(checks: readonly Check[]): DoctorReport {
  const worst = (['fail', 'warn'] as const).find((status) =>
    checks.some((check) => check.status === status),
  );
  return { status: worst ?? 'ok', checks };
}

/** A line a check, and below it the remedy. */
export function reportLines({ checks }: DoctorReport): string[] {
  const rows = checks.map(({ name, status, found }) => [MARKS[status], name, found]);
  const lines = alignColumns(rows);
  const indent = ' '.repeat(MARKS.warn.length + 2);
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  return [
    ...checks.flatMap(({ remedy }, i) => [
      lines[i] ?? '',
      ...(remedy === undefined ? [] : [`${indent}→ ${remedy}`]),
    ]),
    '',
    `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} that the daemon cannot run with`,
  ];
}
