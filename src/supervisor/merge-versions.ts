import type { BreakerReport, VersionReport, WorkerReport } from '../worker/messages.js';
import { addStatistics, summarize, type StatisticsSummary } from './statistics.js';

/** A version that workers have loaded. */
export interface LoadedVersion extends Omit<VersionReport, 'key' | 'statistics'> {
  statistics?: StatisticsSummary;
}

/**
 * One entry a version, from what the workers report. Mapped memory is the same pages in all of them
 * and counts once; other memory and statistics are sums; a breaker is in the worst state that one of them
 * is in; the rest is what the first one says.
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
  const privateBytes = sum(memory.map((copy) => copy.privateBytes));
  const onGpus = memory.flatMap(({ deviceBytes }) => deviceBytes ?? []);
  const [one, ...others] = copies.flatMap(({ statistics }) => statistics ?? []);
  return {
    ...first,
    memory: {
      ...{ ...first.memory, privateBytes },
      ...(onGpus.length > 0 ? { deviceBytes: sum(onGpus) } : {}),
    },
    ...(copies.some(({ prepacking }) => prepacking) ? { prepacking: true as const } : {}),
    ...mergeBreakers(copies.flatMap(({ breaker }) => breaker ?? [])),
    ...(one && { statistics: summarize(addStatistics(one, ...others)) }),
  };
}

const WORST_FIRST = ['open', 'halfOpen', 'closed'] as const;

function mergeBreakers(breakers: readonly BreakerReport[]): { breaker?: BreakerReport } {
  const state = WORST_FIRST.find((each) => breakers.some((breaker) => breaker.state === each));
  if (state === undefined) return {};
  return { breaker: { state, openings: sum(breakers.map((each) => each.openings)) } };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
