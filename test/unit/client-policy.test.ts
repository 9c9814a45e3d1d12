import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffDelayMs } from '../../src/client/backoff.js';
import { pickLeastBusy, type Candidate } from '../../src/client/picker.js';
import { retryDelayMs, type Failure } from '../../src/client/retry.js';
import { WarmswapError } from '../../src/rpc/errors.js';

/** What the client decides, without sockets or clocks. */

const least = () => 0;
const most = () => 1 - Number.EPSILON;

describe('the backoff', () => {
  const backoff = { baseMs: 50, maxMs: 1_000 };

  test('doubles up to its longest', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((failures) => backoffDelayMs(failures, backoff, most));
    expect(delays.map(Math.round)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
    expect(backoffDelayMs(5_000, backoff, most)).toBeCloseTo(1_000);
  });

  test('is between a half and the whole by chance', () => {
    expect(backoffDelayMs(2, backoff, least)).toBe(50);
    expect(backoffDelayMs(2, backoff, () => 0.5)).toBe(75);
  });
});

describe('the picker', () => {
  const candidate = (inFlight: number, changes: Partial<Candidate> = {}): Candidate => ({
    ...{ isReady: true, isSuspect: false },
    ...changes,
    inFlight,
  });
  const none: ReadonlySet<Candidate> = new Set();

  test('takes the one with the fewest in flight', () => {
    const candidates = [candidate(3), candidate(1), candidate(2)];
    for (const turn of [0, 1, 2, 3]) {
      expect(pickLeastBusy(candidates, none, turn)).toBe(candidates[1]);
    }
  });

  test('takes equals in turn', () => {
    const candidates = [candidate(1), candidate(1), candidate(1)];
    const picked = [0, 1, 2, 3].map((turn) =>
      candidates.indexOf(pickLeastBusy(candidates, none, turn) as Candidate),
    );
    expect(picked).toEqual([0, 1, 2, 0]);
  });

  test('takes none that is not ready, and nothing where none is', () => {
    const ready = candidate(9);
    expect(pickLeastBusy([candidate(0, { isReady: false }), ready], none, 0)).toBe(ready);
    expect(pickLeastBusy([candidate(0, { isReady: false })], none, 0)).toBeUndefined();
    expect(pickLeastBusy([], none, 5)).toBeUndefined();
  });

  test('takes what is suspect, and after it what is to be avoided, only where there is no other', () => {
    const avoided = candidate(0);
    const suspect = candidate(1, { isSuspect: true });
    const busy = candidate(200);
    const avoid = new Set([avoided]);
    expect(pickLeastBusy([avoided, suspect, busy], avoid, 0)).toBe(busy);
    expect(pickLeastBusy([avoided, suspect], avoid, 0)).toBe(suspect);
    expect(pickLeastBusy([avoided], avoid, 0)).toBe(avoided);
  });
});

describe('the retry policy', () => {
  const policy = { maxAttempts: 3, baseMs: 50, maxMs: 1_000 };
  const failure = (changes: Partial<Failure> = {}): Failure => ({
    error: new WarmswapError('UNAVAILABLE', 'gone'),
    isLost: false,
    attempts: 1,
    isIdempotent: true,
    remainingMs: Infinity,
    ...changes,
  });
  const exhausted = (details?: unknown) =>
    new WarmswapError('RESOURCE_EXHAUSTED', 'full', { details });
  const delay = (changes: Partial<Failure>, random = least) =>
    retryDelayMs(failure(changes), policy, random);

  test('waits longer after each attempt, until they are used up', () => {
    expect([1, 2, 3].map((attempts) => delay({ attempts }))).toEqual([25, 50, undefined]);
  });

  test('tries a lost call again at once', () => {
    expect(delay({ isLost: true })).toBe(0);
    expect(delay({ isLost: true, attempts: 3 })).toBeUndefined();
  });

  test('tries nothing again that is not idempotent, or not retryable', () => {
    expect(delay({ isIdempotent: false })).toBeUndefined();
    expect(delay({ error: new WarmswapError('NOT_FOUND', 'no') })).toBeUndefined();
    const final = new WarmswapError('UNAVAILABLE', 'no', { retryable: false });
    expect(delay({ error: final })).toBeUndefined();
  });

  test('waits at least as long as the server asks', () => {
    const error = exhausted({ retryAfterMs: 400 });
    expect(delay({ error })).toBe(400);
    expect(delay({ error }, most)).toBeCloseTo(440);
    expect(delay({ error: exhausted({ retryAfterMs: 1 }) })).toBe(25);
    expect(delay({ error: exhausted({ retryAfterMs: 3_600_000 }) })).toBeUndefined();
  });

  test.each([undefined, null, 'soon', { retryAfterMs: 'soon' }, { retryAfterMs: -1 }, {}])(
    'takes details of %o as no wish of the server',
    (details) => expect(delay({ error: exhausted(details) })).toBe(25),
  );

  test('does not wait for what is beyond the deadline', () => {
    expect(delay({ remainingMs: 26 })).toBe(25);
    expect(delay({ remainingMs: 25 })).toBeUndefined();
    expect(delay({ remainingMs: -1, isLost: true })).toBeUndefined();
  });

  test('never waits beyond the deadline, whatever comes', () => {
    const times = fc.double({ min: 0, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(times, times, fc.nat(5), fc.boolean(), (remainingMs, after, attempts, isLost) => {
        const error = exhausted({ retryAfterMs: after });
        const delayMs = delay({ remainingMs, attempts: attempts + 1, isLost, error }, most);
        return delayMs === undefined || (delayMs < remainingMs && delayMs >= after);
      }),
    );
  });
});
