import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../src/client/float16.js';
import { fromBf16, fromFp16, toBf16, toFp16 } from '../../src/rpc/half-floats.js';

const ALL_BITS = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

/** FP32 numbers of given bits. */
const fp32 = (...bits: number[]) => new Float32Array(Uint32Array.from(bits).buffer);

describe.each([
  ['FP16', fromFloat16, toFloat16, fromFp16, toFp16],
  ['BF16', fromBfloat16, toBfloat16, fromBf16, toBf16],
])('%s', (_name, fromBits, toBits, fromOne, toOne) => {
  test('comes back bit by bit from all 65,536 patterns, NaN with its payload', () => {
    expect(toBits(fromBits(ALL_BITS))).toEqual(ALL_BITS);
  });

  test('stands for what one value at a time stands for', () => {
    const values = fromBits(ALL_BITS);
    const wrong = ALL_BITS.filter((bits) => !Object.is(values[bits], fromOne(bits)));
    expect([...wrong]).toEqual([]);
  });

  test('between, at and beside the middle of all neighbours rounds as one value at a time', () => {
    const values = fromBits(ALL_BITS);
    const nearMiddle = Float32Array.from(
      [...ALL_BITS].flatMap((bits) => {
        const [low, high] = [values[bits] as number, values[bits + 1] as number];
        const middle = low + (high - low) / 2;
        return [middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23), low + (high - low) / 4];
      }),
    );
    const bits = toBits(nearMiddle);
    const wrong = nearMiddle.findIndex(
      (value, i) => !Number.isNaN(value) && bits[i] !== toOne(value),
    );
    expect(wrong).toBe(-1);
  });

  test('rounds any FP32 number as one value at a time', () => {
    const anyFloat = fc.float({ noNaN: true });
    fc.assert(
      fc.property(anyFloat, (value) => toBits(Float32Array.of(value))[0] === toOne(value)),
      { numRuns: 20_000 },
    );
  });

  test('keeps a NaN whose payload does not fit one, and the sign of zero', () => {
    const values = fp32(0x7f80_0001, 0xff80_0001);
    expect([...fromBits(toBits(values))]).toEqual([NaN, NaN]);
    expect([...toBits(Float32Array.of(0, -0))]).toEqual([0, 0x8000]);
  });

  test('is had from plain numbers and FP64, rounded once', () => {
    expect([...toBits([1, -2])]).toEqual([toOne(1), toOne(-2)]);
    // Rounded to FP32 first, this would be a tie and lose its last bit.
    const aboveTie = 1 + (fromOne(toOne(1) + 1) - 1) / 2 + 2 ** -40;
    expect([...toBits(Float64Array.of(aboveTie))]).toEqual([toOne(1) + 1]);
  });

  test('is had from a part of an array', () => {
    expect([...toBits(Float32Array.of(9, 1, 9).subarray(1, 2))]).toEqual([toOne(1)]);
  });
});

test('known values', () => {
  const values = Float32Array.of(1, 65_504, 65_519, 65_520, Infinity, 2 ** -24, 2 ** -25, 2 ** -14);
  expect([...toFloat16(values)]).toEqual([
    ...[0x3c00, 0x7bff, 0x7bff, 0x7c00, 0x7c00, 0x0001, 0x0000, 0x0400],
  ]);
  expect([...toBfloat16(fp32(0x3f80_8000, 0x3f81_8000, 0x7f7f_ffff))]).toEqual([
    ...[0x3f80, 0x3f82, 0x7f80],
  ]);
});
