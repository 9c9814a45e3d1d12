import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { QuietPeriod } from '../../src/server/quiet-period.js';

let goesOn: boolean;
let ends: number;
let quiet: QuietPeriod;

beforeEach(() => {
  vi.useFakeTimers();
  [goesOn, ends] = [false, 0];
  quiet = new QuietPeriod(
    100,
    () => goesOn,
    () => ends++,
  );
});
afterEach(() => vi.useRealTimers());

test('it is over once, when nothing has happened for its time', () => {
  vi.advanceTimersByTime(99);
  expect([quiet.isOver, ends]).toEqual([false, 0]);
  vi.advanceTimersByTime(1);
  quiet.restart();
  expect([quiet.isOver, ends, vi.getTimerCount()]).toEqual([true, 1, 0]);
});

test('what happens begins it anew, and so does what goes on', () => {
  vi.advanceTimersByTime(60);
  quiet.restart();
  vi.advanceTimersByTime(60);
  expect(quiet.isOver).toBe(false);
  goesOn = true;
  vi.advanceTimersByTime(1_000);
  expect(quiet.isOver).toBe(false);
  goesOn = false;
  vi.advanceTimersByTime(100);
  expect([quiet.isOver, ends]).toEqual([true, 1]);
});

test('closed it is never over, and leaves no timer', () => {
  quiet.close();
  quiet.restart();
  vi.advanceTimersByTime(1_000);
  expect([quiet.isOver, ends, vi.getTimerCount()]).toEqual([false, 0, 0]);
});
