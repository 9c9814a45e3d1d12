import { alignColumns } from '../table.js';
import type { Distribution } from './histogram.js';
import type { BenchResult } from './result.js';

/** A result as text for people. */
export function formatResult(result: BenchResult): string {
  const { requestsPerSecond, meanBatchSize, client } = result;
  const busy = `event loop ${(100 * client.eventLoopUtilization).toFixed(0)} % busy`;
  const rows = [
    ['requests', counts(result)],
    ['requests/s', requestsPerSecond.toFixed(1)],
    ...(meanBatchSize === null ? [] : [['batch size', `${meanBatchSize.toFixed(2)} on average`]]),
    ['client', busy],
  ];
  return [heading(result), '', ...alignColumns(rows), ...times(result), ...remarks(result)].join(
    '\n',
  );
}

function heading({ model, versions, url, loop, connections, seconds }: BenchResult): string {
  const numbers = Object.keys(versions);
  const version = numbers.length === 0 ? '' : ` version ${numbers.join(', ')}`;
  const how =
    loop.kind === 'closed'
      ? `${plural(loop.concurrency, 'request')} at a time`
      : `${loop.ratePerSecond} requests/s`;
  const over = plural(connections, 'connection');
  return `${model}${version} at ${url}: ${how} over ${over} for ${seconds.toFixed(1)} s`;
}

function counts({ requests, failed, unsent, unanswered, disconnects }: BenchResult): string {
  const others = [
    [unsent, 'unsent'],
    [unanswered, 'unanswered'],
    [disconnects, 'connections lost'],
  ] as const;
  const shown = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [`${requests}`, `${failed} failed`, ...shown].join(', ');
}

function times({ latencyUs, queueUs, computeUs, client }: BenchResult): string[] {
  const rows = [
    ['latency', latencyUs],
    ['sent late by', client.sendDelayUs],
    ['queue', queueUs],
    ['compute', computeUs],
  ] as const;
  const lines = rows.flatMap(([name, distribution]) =>
    distribution ? [[name, ...cells(distribution)]] : [],
  );
  if (lines.length === 0) return [];
  const head = ['', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'];
  return ['', ...alignRight([head, ...lines])];
}

function cells({ mean, p50, p90, p99, p999, max }: Distribution): string[] {
  return [mean, p50, p90, p99, p999, max].map(formatUs);
}

/** All but the first column. */
function alignRight(rows: readonly (readonly string[])[]): string[] {
  const widest = Math.max(...rows.flatMap((row) => row.slice(1).map((cell) => cell.length)));
  return alignColumns(
    rows.map(([first = '', ...others]) => [first, ...others.map((cell) => cell.padStart(widest))]),
  );
}

/** For example `640 µs`, `12.34 ms`, `1.20 s`. */
export function formatUs(us: number): string {
  if (us < 10) return `${us.toFixed(1)} µs`;
  if (us < 1e3) return `${us.toFixed(0)} µs`;
  if (us < 1e6) return `${(us / 1e3).toFixed(2)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}

function remarks({ errors, unsent, unanswered, client }: BenchResult): string[] {
  const failures = Object.entries(errors).map(([code, { count, message }]) => [
    code,
    `${count}`,
    message,
  ]);
  const notes = [
    ...(unsent > 0
      ? ['requests were due and never sent, as every connection was full: the rate was not reached']
      : []),
    ...(unanswered > 0 ? ['some requests had no answer yet; no time counts them'] : []),
    ...(client.isBottleneck
      ? ['this client was busy nearly all the time: these are its limits, not those of the daemon']
      : []),
  ];
  return [
    ...(failures.length > 0 ? ['', ...alignColumns(failures)] : []),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note}`)] : []),
  ];
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
