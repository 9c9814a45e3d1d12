import { beforeEach, describe, expect, test } from 'vitest';
import {
  CircuitBreaker,
  type BreakerOptions,
  type BreakerState,
  type RunOutcome,
} from '../../src/registry/circuit-breaker.js';

const OPTIONS = { errorRatio: 0.5, minRequests: 4, windowMs: 1_000, cooldownMs: 5_000 };

let now: number;
let changes: BreakerState[];

beforeEach(() => {
  now = 100_000;
  changes = [];
});

function breaker(options: Partial<BreakerOptions> = {}): CircuitBreaker {
  const onChange = (state: BreakerState) => {
    changes.push(state);
  };
  return new CircuitBreaker({ ...OPTIONS, ...options }, onChange, () => now);
}

function run(made: CircuitBreaker, ...outcomes: readonly RunOutcome[]): void {
  for (const outcome of outcomes) made.end(made.begin(), outcome);
}

function opened(): CircuitBreaker {
  const made = breaker();
  run(made, 'failed', 'failed', 'failed', 'failed');
  expect(made.state).toBe('open');
  return made;
}

describe('closed, it', () => {
  test('opens at the ratio, with the least number of requests', () => {
    const made = breaker();
    run(made, 'failed', 'failed', 'failed');
    expect(made.state).toBe('closed');
    run(made, 'failed');
    expect([made.state, made.openings, made.retryAfterMs]).toEqual(['open', 1, 5_000]);
  });

  test('stays so below the ratio', () => {
    const made = breaker();
    for (let i = 0; i < 50; i++) run(made, 'succeeded', 'succeeded', 'failed');
    expect([made.state, made.retryAfterMs, changes]).toEqual(['closed', 0, []]);
    const exact = breaker();
    run(exact, 'succeeded', 'succeeded', 'failed', 'failed');
    expect(exact.state).toBe('open');
  });

  test('does not count what is not the version’s fault', () => {
    const made = breaker();
    run(made, 'failed', 'failed', 'failed');
    for (let i = 0; i < 50; i++) run(made, 'neither');
    expect(made.state).toBe('closed');
    run(made, 'failed');
    expect(made.state).toBe('open');
  });

  test('forgets what is older than the window', () => {
    const made = breaker();
    run(made, 'failed', 'failed', 'failed');
    now += 1_000;
    run(made, 'failed');
    expect(made.state).toBe('closed');
    now += 500;
    run(made, 'failed', 'failed');
    expect(made.state).toBe('closed');
    now += 400;
    run(made, 'failed');
    expect(made.state).toBe('open');
  });
});

describe('open, it', () => {
  test('lets nothing through until the cooldown has passed', () => {
    const made = opened();
    now += 4_999;
    expect(made.retryAfterMs).toBe(1);
    now += 1;
    expect([made.retryAfterMs, made.state]).toEqual([0, 'open']);
  });

  test('does not count what began before', () => {
    const made = breaker();
    const [late, later] = [made.begin(), made.begin()];
    run(made, 'failed', 'failed', 'failed', 'failed');
    made.end(late, 'succeeded');
    expect(made.state).toBe('open');
    now += 5_000;
    made.begin();
    made.end(later, 'succeeded');
    expect(made.state).toBe('halfOpen');
  });
});

describe('half-open, it', () => {
  test('lets one request at a time through, and closes when one succeeds', () => {
    const made = opened();
    now += 5_000;
    const trial = made.begin();
    expect([made.state, made.retryAfterMs]).toEqual(['halfOpen', 1_000]);
    made.end(trial, 'neither');
    expect([made.state, made.retryAfterMs]).toEqual(['halfOpen', 0]);
    run(made, 'succeeded');
    expect([made.state, made.retryAfterMs]).toEqual(['closed', 0]);
    expect(changes).toEqual(['open', 'halfOpen', 'closed']);
  });

  test('opens again when one fails', () => {
    const made = opened();
    now += 5_000;
    run(made, 'failed');
    expect([made.state, made.openings, made.retryAfterMs]).toEqual(['open', 2, 5_000]);
  });

  test('begins with a clean slate when it closes', () => {
    const made = opened();
    now += 5_000;
    run(made, 'succeeded', 'failed', 'failed', 'failed');
    expect(made.state).toBe('closed');
    run(made, 'failed');
    expect(made.state).toBe('open');
  });
});
