import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CancelSlot } from '../../src/native/engine.js';
import { WaitingRoom } from '../../src/registry/waiting-room.js';
import { WarmswapError } from '../../src/rpc/errors.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const codeOf = (waiting: Promise<void>): Promise<string> =>
  waiting.then(
    () => 'OK',
    (error: unknown) => (error as WarmswapError).code,
  );

test('all who wait go on when it opens, and no timer is left', async () => {
  const room = new WaitingRoom('version 1 of m', 2);
  const waiting = [room.wait(1_000, {}), room.wait(undefined, {})];
  room.open();
  await Promise.all(waiting);
  expect(vi.getTimerCount()).toBe(0);
});

test('no more wait than there is room for, until some have gone on', async () => {
  const room = new WaitingRoom('version 1 of m', 1);
  const first = room.wait(undefined, {});
  const refused = room.wait(undefined, {});
  await expect(refused).rejects.toThrow('version 1 of m is being replaced, and 1 requests wait');
  expect(await codeOf(refused)).toBe('RESOURCE_EXHAUSTED');
  room.open();
  await first;
  const next = room.wait(undefined, {});
  room.open();
  expect(await codeOf(next)).toBe('OK');
});

test('a deadline ends the waiting, and makes room', async () => {
  const room = new WaitingRoom('version 1 of m', 1);
  const late = codeOf(room.wait(50, {}));
  vi.advanceTimersByTime(49);
  expect(await codeOf(room.wait(50, {}))).toBe('RESOURCE_EXHAUSTED');
  vi.advanceTimersByTime(1);
  expect(await late).toBe('DEADLINE_EXCEEDED');
  const next = codeOf(room.wait(undefined, {}));
  room.open();
  expect(await next).toBe('OK');
});

test('a deadline that has passed already, and one beyond what timers know', async () => {
  const room = new WaitingRoom('version 1 of m', 2);
  const late = codeOf(room.wait(-1, {}));
  const long = codeOf(room.wait(1e12, {}));
  vi.advanceTimersByTime(1);
  expect(await late).toBe('DEADLINE_EXCEEDED');
  room.open();
  expect(await long).toBe('OK');
});

test('one that is cancelled leaves; a cancel after it does nothing', async () => {
  const room = new WaitingRoom('version 1 of m', 1);
  const slot: CancelSlot = {};
  const cancelled = codeOf(room.wait(undefined, slot));
  slot.cancel?.();
  slot.cancel?.();
  expect(await cancelled).toBe('CANCELLED');
  const next = codeOf(room.wait(undefined, {}));
  slot.cancel?.();
  room.open();
  expect(await next).toBe('OK');
});

test('all who wait are sent away with the reason when it closes', async () => {
  const room = new WaitingRoom('version 1 of m', 2);
  const waiting = [codeOf(room.wait(1_000, {})), codeOf(room.wait(undefined, {}))];
  room.close(new WarmswapError('UNAVAILABLE', 'shutting down'));
  expect(await Promise.all(waiting)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  expect(vi.getTimerCount()).toBe(0);
});
