import { describe, expect, test } from 'vitest';
import { difference } from '../../src/registry/compare-tensors.js';
import { joinRows, probeRow } from '../../src/registry/probe-tensors.js';
import { DATATYPES, type Datatype, type Tensor } from '../../src/rpc/tensor.js';

const tensor = (datatype: Datatype, array: ArrayBufferView, shape = [1, 2]): Tensor => ({
  datatype,
  shape,
  data: new Uint8Array(array.buffer),
});
const fp32 = (...values: number[]) => tensor('FP32', Float32Array.from(values));
const int64 = (...values: bigint[]) => tensor('INT64', BigInt64Array.from(values));

describe('a row of the probe', () => {
  const datatypes = (Object.keys(DATATYPES) as Datatype[]).filter((name) => name !== 'BYTES');

  test.each(datatypes)('of %s has one row, and differs from the next one', (datatype) => {
    const input = { name: 'x', datatype, shape: [-1, 8] };
    const [first, second] = [probeRow(input, 0, undefined), probeRow(input, 1, undefined)];
    expect(first.shape).toEqual([1, 8]);
    expect(first.data).toHaveLength(8 * DATATYPES[datatype]);
    expect(difference(first, second)).toBeDefined();
    expect(difference(first, first)).toBeUndefined();
    expect(joinRows([first, second])).toMatchObject({ shape: [2, 8] });
  });

  test('has the inner dimensions that model.yaml gives, else 1', () => {
    const input = { name: 'x', datatype: 'INT8', shape: [-1, -1] } as const;
    expect(probeRow(input, 0, [5, 7]).shape).toEqual([1, 7]);
    expect(probeRow(input, 0, undefined).shape).toEqual([1, 1]);
  });
});

describe('the answers to two rows', () => {
  test('may differ by rounding', () => {
    expect(difference(fp32(1000, 0), fp32(1000.9, 0.000009))).toBeUndefined();
    expect(difference(fp32(1000, 0), fp32(1002, 0))).toBe('element 0 is 1002 instead of 1000');
    expect(difference(fp32(1, 0), fp32(1, NaN))).toBe('element 1 is NaN instead of 0');
    expect(difference(fp32(NaN, Infinity), fp32(NaN, Infinity))).toBeUndefined();
    expect(difference(fp32(0, Infinity), fp32(0, 1))).toBeDefined();
    expect(difference(fp32(0, 1), fp32(0, Infinity))).toBeDefined();
  });

  test('must not differ in integers', () => {
    expect(difference(int64(10_000n, 0n), int64(10_001n, 0n))).toBe(
      'element 0 is 10001 instead of 10000',
    );
  });

  test('must not differ in shape', () => {
    expect(difference(fp32(1, 2), { ...fp32(1, 2), shape: [2, 1] })).toBe(
      'the shape is [2, 1] instead of [1, 2]',
    );
  });

  test.each([
    ['FP16', 0x3c00, 0x3c01, 0x3c02],
    ['BF16', 0x3f80, 0x3f80, 0x3f81],
  ] as const)('in %s are compared as numbers', (datatype, one, near, far) => {
    const half = (bits: number) => tensor(datatype, Uint16Array.of(bits), [1, 1]);
    expect(difference(half(one), half(near))).toBeUndefined();
    expect(difference(half(one), half(far))).toBeDefined();
    expect(difference(half(0x7fff), half(0x7fff))).toBeUndefined();
  });
});
