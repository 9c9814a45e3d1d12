import { expect, test } from 'vitest';
import { Arrivals } from '../../src/cli/bench/arrivals.js';

/** Takes what is due by `now`. */
function takeDue(arrivals: Arrivals, now: number): number[] {
  const due: number[] = [];
  for (let at = arrivals.nextDue(now); at !== undefined; at = arrivals.nextDue(now)) {
    due.push(at);
    arrivals.take();
  }
  return due;
}

test('requests are due evenly from the start, each once', () => {
  const arrivals = new Arrivals(1000, 200, Infinity, Infinity);
  expect(takeDue(arrivals, 999)).toEqual([]);
  expect(takeDue(arrivals, 1000)).toEqual([1000]);
  expect(takeDue(arrivals, 1004.9)).toEqual([]);
  expect(takeDue(arrivals, 1017)).toEqual([1005, 1010, 1015]);
});

test('what could not be sent stays due at its own time', () => {
  const arrivals = new Arrivals(0, 1000, Infinity, Infinity);
  expect(arrivals.nextDue(50)).toBe(0);
  expect(arrivals.nextDue(90)).toBe(0);
  expect(arrivals.overdue(90)).toBe(91);
  arrivals.take();
  expect(arrivals.nextDue(90)).toBe(1);
  expect(arrivals.overdue(90)).toBe(90);
});

test('no error adds up over many requests', () => {
  const arrivals = new Arrivals(0, 3, Infinity, Infinity);
  for (let i = 0; i < 3_000_000; i++) arrivals.take();
  expect(arrivals.nextDue(Infinity)).toBe(1e9);
});

test('none is due at the end or later', () => {
  const arrivals = new Arrivals(0, 100, 30, Infinity);
  expect(arrivals.overdue(1e6)).toBe(3);
  expect(takeDue(arrivals, 1e6)).toEqual([0, 10, 20]);
  expect(arrivals.isExhausted).toBe(true);
  expect(arrivals.overdue(1e6)).toBe(0);
});

test('an end between two requests cuts off the second', () => {
  const arrivals = new Arrivals(0, 100, 25, Infinity);
  expect(arrivals.overdue(1e6)).toBe(3);
  expect(takeDue(arrivals, 1e6)).toEqual([0, 10, 20]);
});

test('there are at most as many as are wanted', () => {
  const arrivals = new Arrivals(0, 1000, Infinity, 2);
  expect(arrivals.overdue(1e6)).toBe(2);
  expect(takeDue(arrivals, 1e6)).toEqual([0, 1]);
  expect(arrivals).toMatchObject({ isExhausted: true, taken: 2 });
});

test('nothing is overdue before the start', () => {
  expect(new Arrivals(1000, 100, Infinity, Infinity).overdue(999)).toBe(0);
});
