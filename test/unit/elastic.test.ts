import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideSize, type LoadSample } from '../../src/supervisor/elastic.js';

const POLICY = { min: 1, max: 3, upSamples: 3, downSamples: 5 };
const IDLE = { queued: 0, running: 0, busyThreads: 0 };

interface Given {
  workers: number;
  samples: readonly Partial<LoadSample>[];
  mayShrink?: boolean;
}

/** The changes that a series of samples makes, the number of workers following them. */
function changes({ workers, samples, mayShrink = true }: Given): number[] {
  let history: readonly LoadSample[] = [];
  let size = workers;
  return samples.map((sample) => {
    const decision = decideSize(history, { ...IDLE, workers: size, ...sample }, POLICY, mayShrink);
    history = decision.history;
    size += decision.change;
    return decision.change;
  });
}

const times = (count: number, sample: Partial<LoadSample>) =>
  Array.from({ length: count }, () => sample);

describe('one worker more', () => {
  test('is wanted when requests have queued for long enough', () => {
    expect(changes({ workers: 1, samples: times(3, { queued: 1 }) })).toEqual([0, 0, 1]);
  });

  test('is wanted when the JavaScript threads have been busy for long enough', () => {
    const samples = times(3, { busyThreads: 1.9 });
    expect(changes({ workers: 2, samples })).toEqual([0, 0, 1]);
  });

  test('is not wanted for a burst', () => {
    const samples = [{ queued: 2 }, {}, {}, { queued: 2 }, {}, {}];
    expect(changes({ workers: 1, samples })).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('is followed by another only after as long again, and never beyond the most', () => {
    const samples = times(12, { queued: 9 });
    expect(changes({ workers: 1, samples })).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  });
});

describe('one worker fewer', () => {
  test('is wanted when the others could have carried the load for long enough', () => {
    const samples = times(5, { running: 0.4, busyThreads: 0.4 });
    expect(changes({ workers: 2, samples })).toEqual([0, 0, 0, 0, -1]);
  });

  test.each([{ running: 1 }, { busyThreads: 0.6 }, { queued: 0.5 }])(
    'is not wanted when the others would have too much of %o',
    (sample) => {
      expect(changes({ workers: 2, samples: times(9, sample) })).not.toContain(-1);
    },
  );

  test('is never fewer than the least', () => {
    expect(changes({ workers: 1, samples: times(20, {}) })).not.toContain(-1);
  });

  test('waits for the end of a swap', () => {
    expect(changes({ workers: 3, samples: times(20, {}), mayShrink: false })).not.toContain(-1);
  });
});

test('a worker that came or went by itself begins a new history', () => {
  const samples = [...times(4, {}), { workers: 2 }, ...times(3, { workers: 2 })];
  expect(changes({ workers: 3, samples })).not.toContain(-1);
});

test('a steady load makes no worker come and go', () => {
  const load = fc.record({
    queued: fc.double({ min: 0, max: 10, noNaN: true }),
    running: fc.double({ min: 0, max: 4, noNaN: true }),
    busyThreads: fc.double({ min: 0, max: 3, noNaN: true }),
  });
  fc.assert(
    fc.property(load, fc.integer({ min: 1, max: 3 }), (sample, workers) => {
      const made = changes({ workers, samples: times(60, sample) });
      expect(made.includes(1) && made.includes(-1)).toBe(false);
    }),
  );
});
