import { expect, test } from 'vitest';
import { Progress, progressLine } from '../../src/cli/bench/progress.js';
import { Recording } from '../../src/cli/bench/recording.js';
import { formatResult, formatUs } from '../../src/cli/bench/report.js';
import { toResult, type BenchSubject } from '../../src/cli/bench/result.js';
import type { Reply } from '../../src/client/connection.js';
import { WarmswapError } from '../../src/rpc/errors.js';

const subject: BenchSubject = {
  model: 'm',
  url: 'ws://host',
  loop: { kind: 'closed', concurrency: 2 },
  connections: 1,
};

const answered = (batchSize: number, version = 1): Reply => ({
  kind: 'result',
  result: { model: 'm', version, outputs: {}, timing: { queueUs: 5, computeUs: 40, batchSize } },
});

const failed = (message: string): Reply => ({
  kind: 'error',
  error: new WarmswapError('RESOURCE_EXHAUSTED', message),
});

/** Two that ran together, one that ran alone, two refused, one lost. */
function sixRequests(): Recording {
  const recording = new Recording();
  recording.onReply(answered(2), 1);
  recording.onReply(answered(2), 1);
  recording.onReply(answered(1, 2), 4);
  recording.onReply(failed('the queue is full'), 1000);
  recording.onReply(failed('the queue is still full'), 1000);
  recording.onReply({ kind: 'lost', error: new WarmswapError('UNAVAILABLE', 'cut off') }, 1000);
  return recording;
}

test('a result has counts, errors by code, versions, and times of what succeeded', () => {
  const end = { elapsedMs: 1500, unsent: 3, unanswered: 1 };
  const client = { disconnects: 1, eventLoopUtilization: 0.5 };
  expect(toResult(subject, sixRequests(), end, client)).toEqual({
    ...subject,
    seconds: 1.5,
    requests: 6,
    succeeded: 3,
    failed: 3,
    unsent: 3,
    unanswered: 1,
    disconnects: 1,
    errors: {
      RESOURCE_EXHAUSTED: { count: 2, message: 'the queue is full' },
      UNAVAILABLE: { count: 1, message: 'cut off' },
    },
    versions: { 1: 2, 2: 1 },
    requestsPerSecond: 2,
    latencyUs: { mean: 2000, p50: 1000.447, p90: 4000, p99: 4000, p999: 4000, max: 4000 },
    queueUs: { mean: 5, p50: 5, p90: 5, p99: 5, p999: 5, max: 5 },
    computeUs: { mean: 40, p50: 40, p90: 40, p99: 40, p999: 40, max: 40 },
    meanBatchSize: 1.5,
    client: { eventLoopUtilization: 0.5, isBottleneck: false, sendDelayUs: null },
  });
});

test('a load without an answer has no times', () => {
  const end = { elapsedMs: 0, unsent: 0, unanswered: 0 };
  const client = { disconnects: 0, eventLoopUtilization: 0 };
  expect(toResult(subject, new Recording(), end, client)).toMatchObject({
    requestsPerSecond: 0,
    latencyUs: null,
    queueUs: null,
    meanBatchSize: null,
  });
});

test('an answer without timing, of another server, counts', () => {
  const recording = new Recording();
  recording.onReply({ kind: 'result', result: {} }, 1);
  recording.onReply({ kind: 'result', result: null }, 1);
  recording.onReply({ kind: 'result', result: { version: 'a', timing: { queueUs: 'b' } } }, 1);
  expect(recording).toMatchObject({ succeeded: 3, failed: 0, meanBatchSize: null });
});

test.each([
  [0.91, 1500, true],
  [0.9, 1500, false],
  [1, 50, false],
])('a client that is busy for %d of %d ms: bottleneck %o', (utilization, elapsedMs, expected) => {
  const client = { disconnects: 0, eventLoopUtilization: utilization };
  const end = { elapsedMs, unsent: 0, unanswered: 0 };
  const result = toResult(subject, sixRequests(), end, client);
  expect(result.client.isBottleneck).toBe(expected);
  expect(formatResult(result).includes('not those of the daemon')).toBe(expected);
});

test('people get a table', () => {
  const recording = sixRequests();
  recording.sendDelay.record(12.34);
  const end = { elapsedMs: 1500, unsent: 3, unanswered: 1 };
  const open = { ...subject, loop: { kind: 'open', ratePerSecond: 4 } as const };
  const result = toResult(open, recording, end, { disconnects: 1, eventLoopUtilization: 0.5 });
  expect(formatResult(result).split('\n')).toEqual([
    'm version 1, 2 at ws://host: 4 requests/s over 1 connection for 1.5 s',
    '',
    'requests    6, 3 failed, 3 unsent, 1 unanswered, 1 connections lost',
    'requests/s  2.0',
    'batch size  1.50 on average',
    'client      event loop 50 % busy',
    '',
    '                 mean      p50      p90      p99    p99.9      max',
    'latency       2.00 ms  1.00 ms  4.00 ms  4.00 ms  4.00 ms  4.00 ms',
    'sent late by    12 µs    12 µs    12 µs    12 µs    12 µs    12 µs',
    'queue          5.0 µs   5.0 µs   5.0 µs   5.0 µs   5.0 µs   5.0 µs',
    'compute         40 µs    40 µs    40 µs    40 µs    40 µs    40 µs',
    '',
    'RESOURCE_EXHAUSTED  2  the queue is full',
    'UNAVAILABLE         1  cut off',
    '',
    'note: requests were due and never sent, as every connection was full: the rate was not reached',
    'note: some requests had no answer yet; no time counts them',
  ]);
});

test.each([
  [0.04, '0.0 µs'],
  [640.4, '640 µs'],
  [12_345, '12.35 ms'],
  [1_200_000, '1.20 s'],
])('%d µs are written as %s', (us, text) => {
  expect(formatUs(us)).toBe(text);
});

test('a progress bar grows with the time, on a terminal alone', () => {
  const counts = { succeeded: 1200, failed: 3 };
  expect(progressLine('measuring', 0.5, counts)).toBe(
    'measuring ████████████░░░░░░░░░░░░  50 %  1203 requests, 3 failed',
  );
  const written: string[] = [];
  const show = (isTTY: boolean) => {
    const terminal = { isTTY, write: (text: string) => written.push(text) };
    new Progress(terminal, 'measuring', 1000, new Recording()).end();
    return written.splice(0);
  };
  expect(show(false)).toEqual([]);
  const [first, last] = show(true);
  expect(first).toContain('measuring ');
  expect(last).toBe('\r\x1b[2K');
});
