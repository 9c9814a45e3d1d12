import { describe, expect, test } from 'vitest';
import { duration, size } from '../../src/config/units.js';

describe('a size', () => {
  test.each([
    ['0B', 0],
    ['1B', 1],
    ['2KB', 2_000],
    ['2MB', 2_000_000],
    ['2GB', 2_000_000_000],
    ['2KiB', 2_048],
    ['64MiB', 67_108_864],
    ['1.5GiB', 1_610_612_736],
    ['0.3KiB', 307],
    ['  8 MiB ', 8_388_608],
    [0, 0],
  ])('%o is %i bytes', (value, bytes) => {
    expect(size.parse(value)).toBe(bytes);
  });

  test.each([
    ...['64', '64 mib', '64M', 'MiB', '-1MiB', '1e3MiB', '1MiB2', '5toString', ''],
    ...[-1, 64, 0.9, null],
  ])('%o is refused, with an example and what came', (value) => {
    const { error } = size.safeParse(value);
    const got = value === null ? '' : `, got ${JSON.stringify(value)}`;
    expect(error?.issues.map(({ message }) => message)).toEqual([
      `expected a number with a unit, such as 64B, 64KiB or 64MiB${got}`,
    ]);
  });
});

describe('a duration', () => {
  test.each([
    ['500us', 0.5],
    ['100ms', 100],
    ['30s', 30_000],
    ['2m', 120_000],
    ['1.5h', 5_400_000],
    ['1 s', 1_000],
    [0, 0],
  ])('%o is %f ms', (value, ms) => {
    expect(duration.parse(value)).toBeCloseTo(ms, 9);
  });

  test.each(['30', '30 sec', '1d', '1MiB', '-1s', -5, 250, NaN, Infinity, true, [1]])(
    '%o is refused',
    (value) => {
      expect(duration.safeParse(value).error?.issues[0]?.message).toMatch(
        /^expected a number with a unit, such as 100ms, 30s or 500us/,
      );
    },
  );
});
