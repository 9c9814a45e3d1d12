import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crashesInARow, restartDelay } from '../../src/supervisor/restart-policy.js';

const POLICY = { crashLimit: 5, crashWindowMs: 60_000 };

describe('crashes in a row', () => {
  test('grow with every life that was short, or never became ready', () => {
    expect(crashesInARow(0, { readyForMs: undefined }, POLICY)).toBe(1);
    expect(crashesInARow(1, { readyForMs: undefined }, POLICY)).toBe(2);
    expect(crashesInARow(2, { readyForMs: 60_000 }, POLICY)).toBe(3);
  });

  test('begin anew after a long life', () => {
    expect(crashesInARow(4, { readyForMs: 60_001 }, POLICY)).toBe(1);
  });
});

describe('the delay of a restart', () => {
  test('doubles with each crash in a row, up to 30 s', () => {
    const policy = { ...POLICY, crashLimit: 100 };
    const delays = [1, 2, 3, 8, 9, 99].map((crashes) => restartDelay(crashes, policy, 0));
    expect(delays).toEqual([200, 400, 800, 25_600, 30_000, 30_000]);
  });

  test('is shortened at random by up to a half, so that workers do not start in step', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, random) => {
          const longest = restartDelay(n, POLICY, 0) ?? NaN;
          const delay = restartDelay(n, POLICY, random) ?? NaN;
          expect(delay).toBeGreaterThan(longest / 2);
          expect(delay).toBeLessThanOrEqual(longest);
        },
      ),
    );
  });

  test('is none once the limit is reached', () => {
    expect(restartDelay(4, POLICY, 0)).toBeDefined();
    expect(restartDelay(5, POLICY, 0)).toBeUndefined();
  });
});
