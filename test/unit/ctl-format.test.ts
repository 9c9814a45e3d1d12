import { describe, expect, test } from 'vitest';
import { noLimitCounts } from '../../src/telemetry/limit-counts.js';
import { formatLabelChange, formatReload, formatStatus } from '../../src/cli/ctl.js';
import type { Status } from '../../src/supervisor/status.js';

describe('a reload', () => {
  test('that changed nothing says so', () => {
    expect(formatReload({ generation: 4, changes: [] })).toBe('generation 4: nothing has changed');
  });

  test('has a line for each model, with the reason where there is one', () => {
    const text = formatReload({
      generation: 5,
      changes: [
        { model: 'edges', from: 1, to: 2, result: 'committed' },
        { model: 'new', from: null, to: 1, result: 'failed', reason: 'cannot load' },
        { model: 'old', from: 3, to: null, result: 'committed' },
      ],
    });
    expect(text.split('\n')).toEqual([
      'generation 5',
      '  edges: 1 → 2 committed',
      '  new: none → 1 failed: cannot load',
      '  old: 3 → none committed',
    ]);
  });
});

describe('a change of a label', () => {
  const change = { model: 'edges', from: 2, to: 2, result: 'committed' } as const;

  test('is told as such', () => {
    const result = { generation: 5, changes: [change] };
    expect(formatLabelChange(result, 'edges', 'canary', 1)).toBe(
      'generation 5\n  edges: label canary → 1',
    );
    expect(formatLabelChange(result, 'edges', 'canary', undefined)).toBe(
      'generation 5\n  edges: label canary removed',
    );
    const warnings = ['look here'];
    expect(formatLabelChange({ ...result, warnings }, 'edges', 'canary', 1)).toMatch(
      /canary → 1\n {2}warning: look here$/,
    );
  });

  test.each([
    ['nothing', []],
    ['a failure', [{ ...change, to: 1, result: 'failed', reason: 'cannot load' } as const]],
    ['more than that', [change, { ...change, model: 'other', to: 3 }]],
    ['another active version', [{ ...change, to: 3 }]],
  ])('that came with %s is told as a reload', (_, changes) => {
    const result = { generation: 5, changes };
    expect(formatLabelChange(result, 'edges', 'canary', 1)).toBe(formatReload(result));
  });
});

const LOADED = {
  bytes: 0,
  memory: { mappedBytes: 0, residentBytes: 0, privateBytes: 0 },
  loadMs: 120,
  warmMs: 3.5,
};
const STATISTICS = {
  requests: {},
  rowsIn: 0,
  rowsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  batchSizes: {},
  queueUs: { p50: 1, p99: 2 },
  runUs: { p50: 64, p99: 512 },
};

describe('the status', () => {
  const status: Status = {
    generation: 3,
    pid: 1,
    uptimeSeconds: 61,
    listen: { host: '127.0.0.1', port: 9000 },
    workers: [
      {
        id: 0,
        pid: 4711,
        state: 'ready',
        device: 'cpu',
        generation: 3,
        connections: 2,
        inflight: 1,
        limited: noLimitCounts(),
        restarts: 0,
        rssBytes: 200 * 2 ** 20,
        pssBytes: 100.25 * 2 ** 20,
        privateBytes: 0,
        sharedBytes: 0,
      },
    ],
    gpus: [
      {
        ...{ device: 'cuda:0', name: 'NVIDIA H200', workers: 1, reservedBytes: 0, pinnedBytes: 0 },
        ...{ totalBytes: 8 * 2 ** 30, freeBytes: 6 * 2 ** 30, modelBytes: 2 ** 30 },
      },
    ],
    models: [
      {
        name: 'edges',
        active: 2,
        labels: { stable: 1, canary: 2 },
        versions: [
          { version: 1, state: 'loading', ...LOADED, loadMs: 0.4, warmMs: 0.6 },
          {
            version: 2,
            state: 'active',
            ...LOADED,
            bytes: 3 * 2 ** 20,
            statistics: { ...STATISTICS, requests: { OK: 1201, INTERNAL: 1, CANCELLED: 2 } },
          },
          { version: 3, state: 'failed', reason: 'no input', ...LOADED },
          {
            version: 4,
            state: 'ready',
            ...LOADED,
            statistics: { ...STATISTICS, runUs: { p50: null, p99: null } },
          },
        ],
      },
      { name: 'broken', active: null, labels: {}, versions: [], problem: 'model.yaml: bad' },
    ],
  };

  test('has a line for the daemon, each worker, each GPU, each model and each version', () => {
    expect(formatStatus(status).split('\n')).toEqual([
      'generation 3, up 61 s, listening on 127.0.0.1:9000',
      '  worker 0  pid 4711  ready  cpu  2 connections  1 in flight  0 restarts  100.3 MiB PSS',
      '  cuda:0  NVIDIA H200  6144.0 MiB free of 8192.0 MiB, models took 1024.0 MiB',
      '  edges  active 2  stable=1 canary=2',
      '    version 1  loading  0.0 MiB  loaded in 0 ms, warmed in 1 ms',
      '    version 2  active  3.0 MiB  loaded in 120 ms, warmed in 4 ms  1204 requests, 3 failed, p99 run ≤ 512 µs',
      '    version 3  failed  no input',
      '    version 4  ready  0.0 MiB  loaded in 120 ms, warmed in 4 ms  0 requests, 0 failed',
      '  broken  active none  model.yaml: bad',
    ]);
  });

  test('of a daemon without workers and models is one line', () => {
    expect(formatStatus({ ...status, workers: [], gpus: [], models: [] })).toBe(
      'generation 3, up 61 s, listening on 127.0.0.1:9000',
    );
  });
});
