import { expect, test } from 'vitest';
import { versionStatistics } from '../../src/server/http/statistics.js';
import { ERROR_CODES, type ErrorCode } from '../../src/rpc/codes.js';

const none = Object.fromEntries(Object.keys(ERROR_CODES).map((code) => [code, 0])) as Record<
  ErrorCode,
  number
>;

test('times are in nanoseconds, and all errors are failures', () => {
  const empty = { counts: [0, 0], sum: 0 };
  const stats = versionStatistics('m', 2, {
    requests: { ...none, OK: 5, INTERNAL: 1, CANCELLED: 2 },
    ...{ rowsIn: 7, rowsOut: 7, bytesIn: 1, bytesOut: 1 },
    batchSize: empty,
    queueUs: { counts: [2, 3], sum: 10.5 },
    runUs: { counts: [4, 0], sum: 100 },
    assembleUs: { counts: [1, 0], sum: 2 },
    splitUs: empty,
  });
  expect(stats).toMatchObject({
    name: 'm',
    version: '2',
    inference_count: 7,
    execution_count: 4,
    inference_stats: {
      success: { count: 5, ns: 112_500 },
      fail: { count: 3, ns: 0 },
      queue: { count: 5, ns: 10_500 },
      compute_input: { count: 1, ns: 2_000 },
      compute_infer: { count: 4, ns: 100_000 },
      compute_output: { count: 0, ns: 0 },
    },
    batch_stats: [],
  });
});
