import { expect, test } from 'vitest';
import { TimeHistogram } from '../../src/cli/bench/histogram.js';

function histogramOf(times: readonly number[]): TimeHistogram {
  const histogram = new TimeHistogram();
  for (const us of times) histogram.record(us);
  return histogram;
}

test('percentiles are at most 0.1 % above the true ones; mean and maximum are exact', () => {
  const times = Array.from({ length: 10_000 }, (_, i) => i + 1);
  const found = histogramOf(times).distribution();
  expect(found).toMatchObject({ mean: 5000.5, max: 10_000 });
  const truth = { p50: 5000, p90: 9000, p99: 9900, p999: 9990 };
  for (const [name, value] of Object.entries(truth)) {
    const percentile = found?.[name as keyof typeof truth] ?? 0;
    expect(percentile).toBeGreaterThanOrEqual(value);
    expect(percentile).toBeLessThanOrEqual(value * 1.001);
  }
});

test('a percentile is never above the maximum', () => {
  expect(histogramOf([1234.567]).distribution()).toEqual({
    mean: 1234.567,
    p50: 1234.567,
    p90: 1234.567,
    p99: 1234.567,
    p999: 1234.567,
    max: 1234.567,
  });
});

test('one slow request of a hundred is the p99.9 and not the p90', () => {
  const found = histogramOf([...new Array<number>(99).fill(100), 50_000]).distribution();
  expect(found?.p90).toBeLessThan(101);
  expect(found).toMatchObject({ p999: 50_000, max: 50_000 });
});

test('no time at all, and more than an hour, are counted', () => {
  const histogram = histogramOf([0, 7_200e6]);
  expect(histogram.count).toBe(2);
  expect(histogram.distribution()).toMatchObject({ max: 7_200e6, mean: 3_600e6 });
});

test('without a time there is no distribution', () => {
  expect(new TimeHistogram().distribution()).toBeNull();
});
