import type { VersionStatistics } from '../worker/messages.js';

/** What a version has done since it was loaded, warm-up included, as `GET /status` tells it. */
export interface StatisticsSummary {
  /** By outcome, those that came: `OK` or an error's code, also of requests refused at once. */
  requests: Readonly<Record<string, number>>;
  /** Of requests that succeeded; BYTES tensors count as no bytes. */
  rowsIn: number;
  rowsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Runs by the requests that ran together: `4` stands for 3 and 4, `8` for 5 to 8, and so on. */
  batchSizes: Readonly<Record<string, number>>;
  /** Microseconds that requests waited. */
  queueUs: Quantiles;
  /** Microseconds of the runs. */
  runUs: Quantiles;
}

/**
 * Upper bounds of the median and of the 99th percentile: the next powers of two, so at most twice as
 * large (2^31 stands for all above 2^30 as well); null if there is nothing to tell.
 */
export interface Quantiles {
  p50: number | null;
  p99: number | null;
}

type Histogram = VersionStatistics['runUs'];

/** The sum over several workers, of which there is at least one. */
export function addStatistics(
  first: VersionStatistics,
  ...others: readonly VersionStatistics[]
): VersionStatistics {
  return others.reduce(addTwo, first);
}

function addTwo(a: VersionStatistics, b: VersionStatistics): VersionStatistics {
  const outcomes = Object.keys(a.requests) as (keyof VersionStatistics['requests'])[];
  const requests = outcomes.map((outcome) => [outcome, a.requests[outcome] + b.requests[outcome]]);
  return {
    requests: Object.fromEntries(requests) as VersionStatistics['requests'],
    rowsIn: a.rowsIn + b.rowsIn,
    rowsOut: a.rowsOut + b.rowsOut,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    batchSize: addHistograms(a.batchSize, b.batchSize),
    queueUs: addHistograms(a.queueUs, b.queueUs),
    runUs: addHistograms(a.runUs, b.runUs),
    assembleUs: addHistograms(a.assembleUs, b.assembleUs),
    splitUs: addHistograms(a.splitUs, b.splitUs),
  };
}

function addHistograms(a: Histogram, b: Histogram): Histogram {
  const counts = a.counts.map((count, bucket) => count + (b.counts[bucket] ?? 0));
  return { counts, sum: a.sum + b.sum };
}

export function summarize(statistics: VersionStatistics): StatisticsSummary {
  const { rowsIn, rowsOut, bytesIn, bytesOut } = statistics;
  return {
    requests: withoutZeros(Object.entries(statistics.requests)),
    rowsIn,
    rowsOut,
    bytesIn,
    bytesOut,
    batchSizes: withoutZeros(
      statistics.batchSize.counts.map((count, bucket) => [String(2 ** bucket), count]),
    ),
    queueUs: quantiles(statistics.queueUs),
    runUs: quantiles(statistics.runUs),
  };
}

/** Of requests that did not succeed. */
export function countFailures(statistics: StatisticsSummary): number {
  return countRequests(statistics) - (statistics.requests.OK ?? 0);
}

export function countRequests({ requests }: StatisticsSummary): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

function withoutZeros(pairs: readonly [string, number][]): Record<string, number> {
  return Object.fromEntries(pairs.filter(([, count]) => count > 0));
}

function quantiles({ counts }: Histogram): Quantiles {
  return { p50: upperBound(counts, 0.5), p99: upperBound(counts, 0.99) };
}

function upperBound(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const bucket = counts.findIndex((count) => (seen += count) >= Math.ceil(total * share));
  return total === 0 ? null : 2 ** bucket;
}
