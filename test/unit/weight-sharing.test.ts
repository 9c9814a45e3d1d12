import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WeightOwnerHandlers } from '../../src/supervisor/weight-owner-process.js';
import { WeightSharing } from '../../src/supervisor/weight-sharing.js';
import { createLogger } from '../../src/telemetry/log.js';
import type { WeightsAnswer } from '../../src/worker/messages.js';
import type { ToWeightOwner } from '../../src/worker/weight-owner-messages.js';

const SLAB = { handle: 'ab', bytes: 7 };
const MINUTE_MS = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface MadeOwner extends WeightOwnerHandlers {
  pid: number;
  sent: ToWeightOwner[];
  isKilled: boolean;
  loaded(modelPath: string): void;
}

/** Owners that do nothing by themselves. */
function makeSharing() {
  const owners: MadeOwner[] = [];
  const answers: [holder: number, request: number, answer: WeightsAnswer][] = [];
  const lost: number[] = [];
  const sharing = new WeightSharing({
    ...{ ortLibrary: '/ort', drainTimeoutMs: () => 5, log: createLogger('test', 'silent') },
    answer: (...answer) => answers.push(answer),
    onLost: (holders) => lost.push(...holders),
    startOwner: (handlers) => {
      const owner: MadeOwner = {
        ...{ ...handlers, pid: 100 + owners.length, sent: [], isKilled: false },
        loaded: (modelPath) => handlers.onMessage({ type: 'loaded', modelPath, slab: SLAB }),
      };
      owners.push(owner);
      return {
        pid: owner.pid,
        send: (message) => void owner.sent.push(message),
        kill: () => void (owner.isKilled = true),
      };
    },
  });
  const borrow = (holder: number, request = 1, modelPath = '/m', gpu = 0) => {
    sharing.borrow(holder, { type: 'borrowWeights', request, modelPath, gpu });
  };
  return { sharing, owners, answers, lost, borrow };
}

function owner({ owners }: { owners: readonly MadeOwner[] }, index = owners.length - 1): MadeOwner {
  const found = owners[index];
  if (!found) throw new Error('no owner was started');
  return found;
}

/** Both have the weights of /m. */
function makeShared() {
  const made = makeSharing();
  for (const holder of [11, 22]) made.borrow(holder);
  owner(made).loaded('/m');
  for (const holder of [11, 22]) made.sharing.settle(holder, 1);
  return made;
}

test('an owner is started for the first who borrows on a GPU, and told what to do', () => {
  const made = makeSharing();
  made.borrow(11);
  expect(owner(made).sent).toEqual([
    { type: 'start', gpu: 0, ortLibrary: '/ort', drainTimeoutMs: 5 },
    { type: 'load', modelPath: '/m' },
    { type: 'holders', pids: [11] },
  ]);
  made.borrow(22, 1, '/n');
  expect(owner(made).sent.slice(3)).toEqual([
    { type: 'load', modelPath: '/n' },
    { type: 'holders', pids: [11, 22] },
  ]);
  made.borrow(22, 2, '/m', 1);
  expect(made.owners).toHaveLength(2);
  expect(owner(made).sent[0]).toMatchObject({ type: 'start', gpu: 1 });
});

test('workers get the weights one after the other, as each has loaded', () => {
  const { sharing, answers, borrow, owners } = makeSharing();
  for (const holder of [11, 22, 33]) borrow(holder);
  owner({ owners }).loaded('/m');
  expect(answers).toEqual([[11, 1, { slab: SLAB }]]);
  sharing.settle(11, 1);
  expect(answers.slice(1)).toEqual([[22, 1, { slab: SLAB }]]);
  sharing.onGone(22);
  expect(answers.slice(2)).toEqual([[33, 1, { slab: SLAB }]]);
});

test('one that cannot use them makes way when it has loaded its own, and not before', () => {
  const { sharing, answers, borrow, owners } = makeSharing();
  for (const holder of [11, 22]) borrow(holder);
  owner({ owners }).loaded('/m');
  sharing.giveBack(11, 1);
  expect(answers).toHaveLength(1);
  sharing.settle(11, 1);
  expect(answers).toHaveLength(2);
});

test('a borrow that is given up before its turn gets no answer', () => {
  const { sharing, answers, borrow, owners } = makeSharing();
  for (const holder of [11, 22, 33]) borrow(holder);
  owner({ owners }).loaded('/m');
  sharing.giveBack(22, 1);
  sharing.settle(22, 1);
  sharing.settle(11, 1);
  expect(answers.map(([holder]) => holder)).toEqual([11, 33]);
});

test('what does not load is refused to all that wait, and the owner ends', () => {
  const made = makeSharing();
  for (const holder of [11, 22]) made.borrow(holder);
  owner(made).onMessage({ type: 'failed', modelPath: '/m', reason: 'no room' });
  expect(made.answers).toEqual([
    [11, 1, { reason: 'no room' }],
    [22, 1, { reason: 'no room' }],
  ]);
  expect(owner(made).isKilled).toBe(true);
});

test('what is shared is told, and freed with its last user', () => {
  const made = makeShared();
  made.borrow(22, 2, '/n');
  owner(made).loaded('/n');
  expect([...made.sharing.shared]).toEqual([[0, { ownerPid: 100, models: 2, bytes: 14 }]]);
  made.sharing.giveBack(11, 1);
  made.sharing.giveBack(22, 1);
  expect(owner(made).sent).toContainEqual({ type: 'free', slab: SLAB });
  expect(owner(made).isKilled).toBe(false);
  made.sharing.onGone(22);
  expect(owner(made).isKilled).toBe(true);
  expect([...made.sharing.shared]).toEqual([]);
});

test('the next owner starts when the memory of the last one is free, and loads what is waited for', () => {
  const made = makeShared();
  for (const holder of [11, 22]) made.sharing.giveBack(holder, 1);
  made.borrow(11, 2, '/n');
  made.borrow(22, 2, '/n');
  expect(made.owners).toHaveLength(1);
  owner(made).onExit('SIGKILL');
  expect(made.owners).toHaveLength(2);
  expect(owner(made).sent.slice(1)).toEqual([{ type: 'load', modelPath: '/n' }]);
  owner(made).loaded('/n');
  expect(made.answers.at(-1)).toEqual([11, 2, { slab: SLAB }]);
  expect(made.lost).toEqual([]);
});

test('no owner starts for those who have given up meanwhile', () => {
  const made = makeShared();
  for (const holder of [11, 22]) made.sharing.giveBack(holder, 1);
  owner(made).onExit('SIGKILL');
  expect(made.owners).toHaveLength(1);
});

test('when the owner ends, those who use weights are lost, and those who wait are refused', () => {
  const made = makeShared();
  made.borrow(33, 1, '/n');
  owner(made).onExit('signal SIGSEGV');
  expect(made.lost).toEqual([11, 22]);
  const reason = 'the process that held shared weights ended with signal SIGSEGV';
  expect(made.answers.at(-1)).toEqual([33, 1, { reason }]);
  for (const holder of [11, 22]) made.sharing.onGone(holder);
  made.borrow(44);
  expect(made.owners).toHaveLength(2);
  owner(made).loaded('/m');
  expect(made.answers.at(-1)).toEqual([44, 1, { slab: SLAB }]);
});

test('a worker whose turn had not come is lost with the others', () => {
  const made = makeSharing();
  for (const holder of [11, 22]) made.borrow(holder);
  owner(made).loaded('/m');
  owner(made).onExit('code 1');
  expect(made.lost).toEqual([11, 22]);
  made.sharing.settle(11, 1);
  expect(made.answers).toHaveLength(1);
});

test('an owner that has ended three times is not started again for ten minutes', () => {
  const made = makeSharing();
  const endOne = () => {
    made.borrow(11);
    owner(made).onExit('code 1');
  };
  for (let i = 0; i < 3; i++) endOne();
  made.borrow(11);
  expect(made.owners).toHaveLength(3);
  expect(made.answers.at(-1)?.[2]).toMatchObject({
    reason: expect.stringContaining('3 times in 10 minutes') as string,
  });
  vi.advanceTimersByTime(10 * MINUTE_MS + 1);
  made.borrow(11);
  expect(made.owners).toHaveLength(4);
});

test('a load that does not end takes the owner with it, and all that use its weights', () => {
  const made = makeShared();
  made.borrow(33, 1, '/n');
  vi.advanceTimersByTime(10 * MINUTE_MS);
  expect(owner(made).isKilled).toBe(true);
  expect(made.lost).toEqual([11, 22]);
  expect(made.answers.at(-1)?.[2]).toMatchObject({
    reason: expect.stringContaining('took too long') as string,
  });
  // Its exit is no second loss.
  owner(made).onExit('SIGKILL');
  expect(made.lost).toEqual([11, 22]);
});

test('a load that has ended is not waited for any more', () => {
  const made = makeShared();
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(owner(made).isKilled).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test('closed, it ends the owner, and answers with a refusal', () => {
  const made = makeShared();
  made.borrow(33, 1, '/n');
  made.sharing.close();
  expect(owner(made).isKilled).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  owner(made).onExit('SIGKILL');
  made.borrow(44);
  expect(made.answers.at(-1)).toEqual([44, 1, { reason: 'the daemon is shutting down' }]);
  expect(made.owners).toHaveLength(1);
});
