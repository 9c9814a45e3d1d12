import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createLogger } from '../../src/telemetry/log.js';
import type { FromWeightOwner } from '../../src/worker/weight-owner-messages.js';
import { WeightOwner, type WeightOwnerOptions } from '../../src/worker/weight-owner.js';

const SLAB = { handle: 'ab', bytes: 1 };
const START = { type: 'start', gpu: 1, ortLibrary: '/ort', drainTimeoutMs: 0 } as const;

function makeOwner(
  engine: Partial<ReturnType<WeightOwnerOptions['openEngine']>> = {},
  graceMs = 60_000,
) {
  const sent: FromWeightOwner[] = [];
  const done: unknown[] = [];
  const owner = new WeightOwner({
    openEngine: (library) => {
      done.push(library);
      return {
        shareWeights: (path, gpu) => Promise.resolve({ ...SLAB, handle: `${path} on ${gpu}` }),
        freeWeights: ({ handle }) => Promise.resolve(void done.push(handle)),
        ...engine,
      };
    },
    ...{ send: (message) => sent.push(message), log: createLogger('test', 'silent'), graceMs },
  });
  return { owner, sent, done };
}

test('it loads what it is told to, and frees it', async () => {
  const { owner, sent, done } = makeOwner();
  await owner.handle(START);
  await owner.handle({ type: 'load', modelPath: '/m' });
  const slab = { ...SLAB, handle: '/m on 1' };
  expect(sent).toEqual([{ type: 'loaded', modelPath: '/m', slab }]);
  await owner.handle({ type: 'free', slab });
  expect(done).toEqual(['/ort', '/m on 1']);
});

test('what does not load is told with the reason, and it goes on', async () => {
  const shareWeights = (modelPath: string) =>
    modelPath === '/m' ? Promise.reject(new Error('no room')) : Promise.resolve(SLAB);
  const { owner, sent } = makeOwner({ shareWeights });
  await owner.handle({ type: 'load', modelPath: '/early' });
  await owner.handle(START);
  await owner.handle({ type: 'load', modelPath: '/m' });
  await owner.handle({ type: 'load', modelPath: '/n' });
  expect(sent).toEqual([
    { type: 'failed', modelPath: '/early', reason: 'it has not been started' },
    { type: 'failed', modelPath: '/m', reason: 'no room' },
    { type: 'loaded', modelPath: '/n', slab: SLAB },
  ]);
});

test('what cannot be freed takes nothing else away', async () => {
  const { owner } = makeOwner({ freeWeights: () => Promise.reject(new Error('unknown')) });
  await owner.handle(START);
  await owner.handle({ type: 'free', slab: SLAB });
});

test('without an ONNX Runtime it is of no use', async () => {
  const owner = new WeightOwner({
    openEngine: () => {
      throw new Error('no library');
    },
    ...{ send: () => {}, log: createLogger('test', 'silent') },
  });
  await expect(owner.handle(START)).rejects.toThrow('no library');
});

test('it stays until the last worker has ended that may have something open', async () => {
  const { owner } = makeOwner();
  await owner.handle(START);
  const worker = spawn('sleep', ['600']);
  await once(worker, 'spawn');
  await owner.handle({ type: 'holders', pids: [worker.pid ?? 0] });
  const seen: string[] = [];
  const outlived = owner.outliveHolders().then(() => seen.push('owner'));
  const ended = once(worker, 'exit').then(() => seen.push('worker'));
  worker.kill('SIGKILL');
  await Promise.all([outlived, ended]);
  expect(seen).toHaveLength(2);
  expect(worker.signalCode).toBe('SIGKILL');
});

test('it does not wait for ever', async () => {
  const { owner } = makeOwner({}, 0);
  await owner.handle(START);
  await owner.handle({ type: 'holders', pids: [process.pid] });
  await owner.outliveHolders();
});
