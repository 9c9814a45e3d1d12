import type { VersionReport, WorkerReport } from '../worker/messages.js';
import { addStatistics, summarize, type StatisticsSummary } from './statistics.js';

/** A version that workers have loaded. */
export interface LoadedVersion extends Omit<VersionReport, 'key' | 'statistics'> {
  statistics?: StatisticsSummary;
}

/**
 * One entry a version, from what the workers report. Mapped memory is the same pages in all of them
 * and counts once; private memory and statistics are sums; the rest is what the first one says.
 */
export function mergeVersions(reports: readonly WorkerReport[]): LoadedVersion[] {
  const byKey = new Map<string, VersionReport[]>();
  for (const version of reports.flatMap(({ versions }) => versions)) {
    const id = `${version.model}/${version.key}`;
    byKey.set(id, [...(byKey.get(id) ?? []), version]);
  }
  return [...byKey.values()].map((copies) => mergeCopies(copies as Copies));
}

type Copies = [VersionReport, ...VersionReport[]];

function mergeCopies(copies: Copies): LoadedVersion {
  const { key: _, statistics: __, ...first } = copies[0];
  const memory = copies.map((copy) => copy.memory);
  const privateBytes = memory.reduce((sum, copy) => sum + copy.privateBytes, 0);
  const [one, ...others] = copies.flatMap(({ statistics }) => statistics ?? []);
  return {
    ...first,
    memory: { ...first.memory, privateBytes },
    ...(copies.some(({ prepacking }) => prepacking) ? { prepacking: true as const } : {}),
    ...(one && { statistics: summarize(addStatistics(one, ...others)) }),
  };
}
