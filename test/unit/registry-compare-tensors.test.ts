import { describe, expect, test } from 'vitest';
import { difference, hasNaN } from '../../src/registry/compare-tensors.js';
import type { Datatype, Tensor } from '../../src/rpc/tensor.js';

const tensor = (datatype: Datatype, array: ArrayBufferView): Tensor => ({
  datatype,
  shape: [1],
  data: new Uint8Array(array.buffer),
});
const fp32 = (value: number) => tensor('FP32', Float32Array.of(value));
const bytes = (...data: (string | Uint8Array)[]): Tensor => ({
  datatype: 'BYTES',
  shape: [data.length],
  data,
});

describe('two answers', () => {
  test.each([
    [{ relative: 0, absolute: 0 }, 100, 100, true],
    [{ relative: 0, absolute: 0 }, 100, 100.5, false],
    [{ relative: 0, absolute: 0.5 }, 100, 100.5, true],
    [{ relative: 0.01, absolute: 0 }, 100, 101, true],
    [{ relative: 0.01, absolute: 0 }, 100, 102, false],
  ])('with %j: %d and %d are close: %s', (tolerance, expected, got, isClose) => {
    expect(difference(fp32(expected), fp32(got), tolerance) === undefined).toBe(isClose);
  });

  test('of texts must be equal, as bytes or as text', () => {
    expect(difference(bytes('ä'), bytes(Buffer.from('ä')))).toBeUndefined();
    expect(difference(bytes('a', 'b'), bytes('a', 'c'))).toBe('element 1 is c instead of b');
  });

  test('of other datatypes differ', () => {
    expect(difference(fp32(1), bytes('1'))).toBe('it is BYTES [1] instead of FP32 [1]');
  });
});

test.each([
  [tensor('FP32', Float32Array.of(0, 1, NaN)), true],
  [tensor('FP32', Float32Array.of(0, -Infinity)), false],
  [tensor('FP64', Float64Array.of(NaN)), true],
  [tensor('FP16', Uint16Array.of(0x7c00)), false],
  [tensor('FP16', Uint16Array.of(0xfe00)), true],
  [tensor('BF16', Uint16Array.of(0x7f80)), false],
  [tensor('BF16', Uint16Array.of(0x7fc0)), true],
  [tensor('INT32', Int32Array.of(-1)), false],
  [bytes('NaN'), false],
])('NaN is found only where it is: %#', (value, found) => {
  expect(hasNaN(value)).toBe(found);
});
