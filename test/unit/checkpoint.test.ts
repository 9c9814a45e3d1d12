import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GenerationPlan } from '../../src/registry/plan.js';
import {
  checkpointPath,
  readCheckpoint,
  removeAbandoned,
  writeCheckpoint,
  type Checkpoint,
} from '../../src/supervisor/checkpoint.js';

const DAEMON = { models: '/srv/models', host: '127.0.0.1', port: 9000 };

function version(number: number) {
  return {
    version: number,
    modelPath: `/store/${number}/model.onnx`,
    fingerprint: `f${number}`,
    artifact: {
      form: 'inline' as const,
      bytes: 1,
      loadBytes: 1,
      privateBytes: 1,
      unpackedSlowdown: 0,
    },
    key: `${number}:f`,
    options: {
      queueCapacity: 8,
      priorities: 3,
      execution: 'auto' as const,
      instances: 1,
      threads: { intraOp: 1, spinning: false },
      quickStart: true,
      warmup: { runs: 3, shapes: {}, maxDurationMs: 10_000 },
    },
  };
}

const PLAN: GenerationPlan = {
  generation: 7,
  models: [
    {
      ...{ name: 'm', active: 2, labels: { old: 1 }, versions: [version(1), version(2)] },
      ...{ previous: 1, chosen: [2] },
    },
  ],
  choices: {
    m: {
      activation: { version: 2, newestKnown: 3, allowSignatureChange: false },
      labels: { old: { version: 1, inFile: null }, gone: { version: null, inFile: 2 } },
      loaded: [1],
      unloaded: [3],
    },
    idle: { isUnloaded: true },
  },
};

const CHECKPOINT: Checkpoint = { phase: 'committing', plan: PLAN };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'warmswap-test-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** The checkpoint's file after `edit`. */
function edited(edit: (file: { [member: string]: unknown }) => unknown): string {
  const path = folder();
  writeCheckpoint(path, DAEMON, CHECKPOINT);
  const file = checkpointPath(path, DAEMON);
  const content = JSON.parse(readFileSync(file, 'utf8')) as { [member: string]: unknown };
  writeFileSync(file, JSON.stringify(edit(content)));
  return path;
}

test('what is written is read, and nothing else is left in the folder', () => {
  const path = join(folder(), 'made', 'on', 'demand');
  expect(readCheckpoint(path, DAEMON)).toBeUndefined();
  for (const phase of ['committing', 'committed', 'stopped'] as const) {
    writeCheckpoint(path, DAEMON, { ...CHECKPOINT, phase });
    expect(readCheckpoint(path, DAEMON)).toEqual({ ...CHECKPOINT, phase });
  }
  expect(readdirSync(path)).toHaveLength(1);
});

test('each daemon has its own', () => {
  const path = folder();
  writeCheckpoint(path, DAEMON, CHECKPOINT);
  const others = [
    { ...DAEMON, models: '/srv/other' },
    { ...DAEMON, host: '::1' },
    { ...DAEMON, port: 9002 },
  ];
  for (const other of others) expect(readCheckpoint(path, other)).toBeUndefined();
});

test('one that was copied from another daemon is refused', () => {
  const path = edited((file) => ({ ...file, daemon: { ...DAEMON, port: 1 } }));
  expect(() => readCheckpoint(path, DAEMON)).toThrow('it belongs to the daemon');
});

test('half a file, and what is no checkpoint, is refused', () => {
  for (const text of ['', '{"format":1,', 'null', '[]', '{}', '\u0000']) {
    const path = folder();
    writeFileSync(checkpointPath(path, DAEMON), text);
    expect(() => readCheckpoint(path, DAEMON)).toThrow();
  }
});

test('one of another format or with a plan that cannot be served is refused', () => {
  const models = [{ ...PLAN.models[0], active: 9 }];
  for (const change of [
    { format: 2 },
    { phase: 'preparing' },
    { plan: { ...PLAN, generation: -1 } },
    { plan: { ...PLAN, models } },
    { plan: { ...PLAN, models: [{ name: 'm' }] } },
    { plan: { ...PLAN, choices: { m: { activation: { version: 'two' } } } } },
    { plan: { ...PLAN, choices: { m: { isUnloaded: false } } } },
  ]) {
    const path = edited((file) => ({ ...file, ...change }));
    expect(() => readCheckpoint(path, DAEMON)).toThrow();
  }
});

test('one whose repository is gone is removed after a month', () => {
  const path = folder();
  const kept = { ...DAEMON, models: path };
  writeCheckpoint(path, DAEMON, CHECKPOINT);
  writeCheckpoint(path, kept, CHECKPOINT);
  const foreign = ['notes.txt', '0123456789abcdef.json'];
  for (const name of foreign) writeFileSync(join(path, name), 'mine');
  removeAbandoned(path, Date.now());
  expect(readdirSync(path)).toHaveLength(4);
  removeAbandoned(path, Date.now() + 31 * 24 * 3600 * 1000);
  expect(readCheckpoint(path, DAEMON)).toBeUndefined();
  expect(readCheckpoint(path, kept)).toBeDefined();
  expect(readdirSync(path)).toEqual(expect.arrayContaining(foreign));
  removeAbandoned(join(path, 'nowhere'), Date.now());
});

test('members of a plan that the reader does not know are kept', () => {
  const plan = { ...PLAN, later: true };
  const path = edited((file) => ({ ...file, plan }));
  expect(readCheckpoint(path, DAEMON)?.plan).toEqual(plan);
});
