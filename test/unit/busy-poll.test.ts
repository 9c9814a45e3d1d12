import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BusyPoll } from '../../src/server/busy-poll.js';

const MAX_MS = 0.05;
const SOON_MS = 0.02;
const LATE_MS = 0.2;
const SLEEPS_AFTER_MS = 1;

let now = 1000;
let nextTurn: (() => void) | undefined;

beforeEach(() => {
  nextTurn = undefined;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.stubGlobal('setImmediate', (callback: () => void) => (nextTurn = callback));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function answerAfter(poll: BusyPoll, ms: number): void {
  now += ms;
  poll.onRequest();
  poll.onAnswer();
}

function answerOften(poll: BusyPoll, gapMs: number): void {
  for (let i = 0; i < 10; i++) answerAfter(poll, gapMs);
}

/** One turn of an event loop that has read its sockets; whether it was awake for it. */
function turn(): boolean {
  const callback = nextTurn;
  nextTurn = undefined;
  callback?.();
  return callback !== undefined;
}

/** How long the loop stays awake without a request, by turns of 10 µs. */
function awakeMs(): number {
  const from = now;
  while (turn() && now - from < SLEEPS_AFTER_MS) now += 0.01;
  return now - from;
}

test('after requests that come soon the loop looks for the next one, for a while', () => {
  const poll = new BusyPoll(MAX_MS, () => false);
  answerOften(poll, SOON_MS);
  const ms = awakeMs();
  expect(ms).toBeGreaterThanOrEqual(MAX_MS);
  expect(ms).toBeLessThan(2 * MAX_MS);
  expect(poll.idleMs).toBeCloseTo(ms, 1);
});

test('a request that comes while it looks keeps it awake', () => {
  const poll = new BusyPoll(MAX_MS, () => false);
  answerOften(poll, SOON_MS);
  for (let i = 0; i < 100; i++) {
    expect(turn()).toBe(true);
    answerAfter(poll, SOON_MS);
  }
  expect(poll.idleMs).toBe(0);
});

test('it sleeps where requests come later, and after one that it has looked for in vain', () => {
  const poll = new BusyPoll(MAX_MS, () => false);
  answerOften(poll, LATE_MS);
  expect(awakeMs()).toBe(0);
  answerOften(poll, SOON_MS);
  expect(awakeMs()).toBeGreaterThan(0);
  answerAfter(poll, LATE_MS);
  expect(awakeMs()).toBe(0);
});

test('it does not look while something is in flight', () => {
  let isBusy = false;
  const poll = new BusyPoll(MAX_MS, () => isBusy);
  answerOften(poll, SOON_MS);
  isBusy = true;
  expect(turn()).toBe(true);
  expect(awakeMs()).toBe(0);
  poll.onAnswer();
  expect(awakeMs()).toBe(0);
  isBusy = false;
  poll.onAnswer();
  expect(awakeMs()).toBeGreaterThan(0);
});

test('with 0 it never looks', () => {
  const poll = new BusyPoll(0, () => false);
  answerOften(poll, 0);
  expect(awakeMs()).toBe(0);
});
