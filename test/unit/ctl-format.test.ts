import { describe, expect, test } from 'vitest';
import { formatReload, formatStatus } from '../../src/cli/ctl.js';
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

describe('the status', () => {
  const status: Status = {
    generation: 3,
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
        restarts: 0,
        rssBytes: 200 * 2 ** 20,
        pssBytes: 100.25 * 2 ** 20,
        privateBytes: 0,
        sharedBytes: 0,
      },
    ],
    models: [
      {
        name: 'edges',
        active: 2,
        labels: { stable: 1, canary: 2 },
        versions: [
          { version: 1, state: 'ready', bytes: 0, loadMs: 0.4, warmMs: 0.6 },
          { version: 2, state: 'active', bytes: 3 * 2 ** 20, loadMs: 120, warmMs: 3.5 },
          { version: 3, state: 'failed', reason: 'no input', bytes: 0, loadMs: 0, warmMs: 0 },
        ],
      },
      { name: 'broken', active: null, labels: {}, versions: [], problem: 'model.yaml: bad' },
    ],
  };

  test('has a line for the daemon, each worker, each model and each version', () => {
    expect(formatStatus(status).split('\n')).toEqual([
      'generation 3, up 61 s, listening on 127.0.0.1:9000',
      '  worker 0  pid 4711  ready  cpu  2 connections  1 in flight  0 restarts  100.3 MiB PSS',
      '  edges  active 2  stable=1 canary=2',
      '    version 1  ready  0.0 MiB  loaded in 0 ms, warmed in 1 ms',
      '    version 2  active  3.0 MiB  loaded in 120 ms, warmed in 4 ms',
      '    version 3  failed  no input',
      '  broken  active none  model.yaml: bad',
    ]);
  });

  test('of a daemon without workers and models is one line', () => {
    expect(formatStatus({ ...status, workers: [], models: [] })).toBe(
      'generation 3, up 61 s, listening on 127.0.0.1:9000',
    );
  });
});
