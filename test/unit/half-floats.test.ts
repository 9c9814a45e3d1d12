import { describe, expect, test } from 'vitest';
import { fromBf16, fromFp16, toBf16, toFp16 } from '../../src/rpc/half-floats.js';

const ALL_BITS = Array.from({ length: 65_536 }, (_, bits) => bits);

describe.each([
  ['FP16', fromFp16, toFp16],
  ['BF16', fromBf16, toBf16],
])('%s', (_, from, to) => {
  test('comes back as it was from every number that it holds', () => {
    const changed = ALL_BITS.filter((bits) => {
      const value = from(bits);
      return !Number.isNaN(value) && to(value) !== bits;
    });
    expect(changed).toEqual([]);
    expect(from(to(NaN))).toBeNaN();
  });

  test('is the even one of two neighbours halfway between them, else the nearest', () => {
    const finite = ALL_BITS.filter((bits) => Number.isFinite(from(bits + 1)) && bits < 0x7fff);
    const wrong = finite.filter((bits) => {
      const [low, high] = [from(bits), from(bits + 1)];
      const even = bits % 2 === 0 ? bits : bits + 1;
      const quarter = (high - low) / 4;
      return (
        to((low + high) / 2) !== even ||
        to(low + quarter) !== bits ||
        to(high - quarter) !== bits + 1
      );
    });
    expect(wrong).toEqual([]);
  });

  test('is infinite from half a step beyond its largest number', () => {
    const infinity = to(Infinity);
    const [largest, below] = [from(infinity - 1), from(infinity - 2)];
    const half = (largest - below) / 2;
    expect(to(largest + half)).toBe(infinity);
    expect(to(-largest - half)).toBe(0x8000 | infinity);
    expect(to(largest + half * 0.99)).toBe(infinity - 1);
  });
});
