import { describe, expect, test } from 'vitest';
import { noLimitCounts } from '../../src/telemetry/limit-counts.js';
import { ERROR_CODES } from '../../src/rpc/codes.js';
import { mergeVersions } from '../../src/supervisor/merge-versions.js';
import {
  addStatistics,
  countFailures,
  countRequests,
  summarize,
} from '../../src/supervisor/statistics.js';
import type {
  BreakerReport,
  VersionReport,
  VersionStatistics,
  WorkerReport,
} from '../../src/worker/messages.js';

const BUCKETS = 32;

/** A histogram with these counts by bucket. */
function histogram(counts: Readonly<Record<number, number>> = {}, sum = 0) {
  return { counts: Array.from({ length: BUCKETS }, (_, bucket) => counts[bucket] ?? 0), sum };
}

function statistics(more: Partial<VersionStatistics> = {}): VersionStatistics {
  const none = Object.fromEntries(
    ['OK', ...Object.keys(ERROR_CODES)].map((outcome) => [outcome, 0]),
  );
  return {
    requests: none as VersionStatistics['requests'],
    rowsIn: 0,
    rowsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    batchSize: histogram(),
    queueUs: histogram(),
    runUs: histogram(),
    assembleUs: histogram(),
    splitUs: histogram(),
    ...more,
  };
}

const requests = (more: Readonly<Record<string, number>>) => ({
  ...statistics().requests,
  ...more,
});

describe('a summary', () => {
  test('of nothing has no numbers to tell', () => {
    expect(summarize(statistics())).toEqual({
      requests: {},
      rowsIn: 0,
      rowsOut: 0,
      bytesIn: 0,
      bytesOut: 0,
      batchSizes: {},
      queueUs: { p50: null, p99: null },
      runUs: { p50: null, p99: null },
    });
  });

  test('has the outcomes that came, and counts them', () => {
    const summary = summarize(
      statistics({ requests: requests({ OK: 5, CANCELLED: 2, INTERNAL: 1 }) }),
    );
    expect(summary.requests).toEqual({ OK: 5, CANCELLED: 2, INTERNAL: 1 });
    expect([countRequests(summary), countFailures(summary)]).toEqual([8, 3]);
  });

  test('names batch sizes by the upper bounds of their buckets', () => {
    const batchSize = histogram({ 0: 4, 1: 3, 3: 1 });
    expect(summarize(statistics({ batchSize })).batchSizes).toEqual({ 1: 4, 2: 3, 8: 1 });
  });

  test.each([
    [{ 0: 1 }, { p50: 1, p99: 1 }],
    [
      { 3: 50, 6: 49, 10: 1 },
      { p50: 8, p99: 64 },
    ],
    [
      { 3: 50, 6: 48, 10: 2 },
      { p50: 8, p99: 1024 },
    ],
    [
      { 3: 49, 6: 51 },
      { p50: 64, p99: 64 },
    ],
    [{ 31: 1 }, { p50: 2 ** 31, p99: 2 ** 31 }],
  ])('of the run times %j gives the upper bounds %j', (counts, expected) => {
    expect(summarize(statistics({ runUs: histogram(counts) })).runUs).toEqual(expected);
    expect(summarize(statistics({ queueUs: histogram(counts) })).queueUs).toEqual(expected);
  });
});

test('statistics of several workers add up', () => {
  const one = statistics({
    requests: requests({ OK: 1, INTERNAL: 1 }),
    rowsIn: 1,
    rowsOut: 2,
    bytesIn: 3,
    bytesOut: 4,
    batchSize: histogram({ 0: 1 }, 1),
    queueUs: histogram({ 1: 1 }, 2),
    runUs: histogram({ 2: 1 }, 3),
    assembleUs: histogram({ 3: 1 }, 4),
    splitUs: histogram({ 4: 1 }, 5),
  });
  const other = statistics({ requests: requests({ OK: 2 }), runUs: histogram({ 2: 1, 5: 1 }, 30) });
  expect(addStatistics(one)).toEqual(one);
  expect(addStatistics(one, other)).toEqual({
    ...one,
    requests: requests({ OK: 3, INTERNAL: 1 }),
    runUs: histogram({ 2: 2, 5: 1 }, 33),
  });
  const { sum } = addStatistics(one, one, one).splitUs;
  expect(sum).toBe(15);
});

describe('the versions of several workers', () => {
  const version = (key: string, more: Partial<VersionReport> = {}): VersionReport => ({
    model: 'm',
    version: parseInt(key),
    key,
    state: 'active',
    bytes: 100,
    memory: { mappedBytes: 100, residentBytes: 90, privateBytes: 7 },
    loadMs: 1,
    warmMs: 2,
    ...more,
  });
  const worker = (...versions: VersionReport[]): WorkerReport => ({
    generation: 1,
    ...{ pid: 1, connections: 0, inflight: 0, running: 0, queued: 0, busyMs: 0, gpus: [] },
    limited: noLimitCounts(),
    versions,
  });
  const ok = (count: number) => ({ statistics: statistics({ requests: requests({ OK: count }) }) });

  test('are one entry each: mapped memory once, private memory and requests summed', () => {
    const merged = mergeVersions([
      worker(version('1', ok(2))),
      worker(version('1', { ...ok(3), state: 'ready' })),
    ]);
    expect(merged).toMatchObject([
      {
        state: 'active',
        bytes: 100,
        memory: { mappedBytes: 100, residentBytes: 90, privateBytes: 14 },
        statistics: { requests: { OK: 5 } },
      },
    ]);
  });

  test('are there if only one worker has them, without statistics until one is loaded', () => {
    const merged = mergeVersions([
      worker(version('1')),
      worker(version('1'), version('2', { state: 'loading' })),
    ]);
    expect(merged.map(({ version: number, state }) => [number, state])).toEqual([
      [1, 'active'],
      [2, 'loading'],
    ]);
    expect(merged[1]).not.toHaveProperty('statistics');
  });

  test('have the worst state of their breakers, and all openings', () => {
    const breaker = (state: BreakerReport['state'], openings: number) =>
      worker(version('1', { breaker: { state, openings } }));
    const merged = (...states: readonly BreakerReport['state'][]) =>
      mergeVersions(states.map((state, i) => breaker(state, i + 1)))[0]?.breaker;
    expect(merged('closed', 'halfOpen', 'open')).toEqual({ state: 'open', openings: 6 });
    expect(merged('halfOpen', 'closed')).toEqual({ state: 'halfOpen', openings: 3 });
    expect(merged('closed')).toEqual({ state: 'closed', openings: 1 });
    expect(mergeVersions([worker(version('1'))])[0]).not.toHaveProperty('breaker');
  });

  test('with one number but other files are two', () => {
    const merged = mergeVersions([worker(version('1:new'), version('1:old', ok(1)))]);
    expect(merged.map(({ statistics: summary }) => summary?.requests)).toEqual([
      undefined,
      { OK: 1 },
    ]);
  });
});
