import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/native/deadlines.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Deadlines at these times, what has passed is gone once it was looked for. */
function queueOf(...times: number[]) {
  const looked: number[] = [];
  const started = performance.now();
  const now = () => performance.now() - started;
  const deadlines = new Deadlines(() => {
    looked.push(now());
    const left = times.filter((time) => time > now());
    return left.length === 0 ? -1 : Math.min(...left) - now();
  });
  for (const time of times) deadlines.expect(time);
  return { deadlines, looked };
}

test('each deadline is looked for soon after it has passed, and nothing after the last', async () => {
  const { looked } = queueOf(300, 100, 200);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looked).toHaveLength(3);
  looked.forEach((at, i) => {
    expect(at).toBeGreaterThanOrEqual(100 * (i + 1));
    expect(at).toBeLessThanOrEqual(100 * (i + 1) + 2);
  });
  expect(vi.getTimerCount()).toBe(0);
});

test('there is one timer however many deadlines there are, and none without', () => {
  const { deadlines } = queueOf();
  deadlines.expect(undefined);
  deadlines.expect(-1);
  expect(vi.getTimerCount()).toBe(0);
  for (let i = 1000; i > 0; i--) deadlines.expect(i);
  for (let i = 1; i < 1000; i++) deadlines.expect(i);
  expect(vi.getTimerCount()).toBe(1);
});

test('nothing is looked for once it is closed', async () => {
  const { deadlines, looked } = queueOf(10);
  deadlines.close();
  await vi.advanceTimersByTimeAsync(100);
  expect(looked).toEqual([]);
  deadlines.expect(5);
  await vi.advanceTimersByTimeAsync(100);
  expect(looked).toHaveLength(1);
});

test('the longest deadline that there may be needs no timer that is too long', async () => {
  const { looked } = queueOf(1e9);
  await vi.advanceTimersByTimeAsync(1000);
  expect(looked).toEqual([]);
});
