import { describe, expect, test } from 'vitest';
import { float32Values, tensor, textValues } from '../../src/client/tensor-values.js';
import { fromTensor, toTensor } from '../../src/client/tensors.js';
import type { Datatype } from '../../src/rpc/tensor.js';

describe('a tensor is made', () => {
  test.each<[Datatype, Parameters<typeof tensor>[2], unknown]>([
    ['FP16', Float32Array.of(1, 2), Uint16Array.of(0x3c00, 0x4000)],
    ['FP16', [1, 2], Uint16Array.of(0x3c00, 0x4000)],
    ['BF16', Float64Array.of(1, 2), Uint16Array.of(0x3f80, 0x4000)],
    ['FP16', Uint16Array.of(1, 2), Uint16Array.of(1, 2)],
    ['FP32', Float64Array.of(1, 2), Float32Array.of(1, 2)],
    ['FP64', [0.5, NaN], Float64Array.of(0.5, NaN)],
    ['INT64', [1n, -2], BigInt64Array.of(1n, -2n)],
    ['UINT64', [2n ** 64n - 1n, 0], BigUint64Array.of(2n ** 64n - 1n, 0n)],
    ['BOOL', [true, false], Uint8Array.of(1, 0)],
    ['BYTES', ['a', 'b'], ['a', 'b']],
  ])('as %s from %o', (datatype, values, data) => {
    expect(tensor(datatype, [2], values)).toEqual({ datatype, shape: [2], data });
  });

  test.each<[Datatype, unknown, RegExp]>([
    ['UINT8', [1, 256], /256 is no UINT8/],
    ['INT32', Float32Array.of(1, 2), /INT32 needs a Int32Array/],
    ['FP32', [1, 2, 3], /shape \[2\] holds 2 values, got 3/],
    ['BYTES', [1, 2], /BYTES needs an array of bytes or texts/],
  ])('never as %s from %o', (datatype, values, message) => {
    const make = () => tensor(datatype, [2], values as number[]);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(make).toThrow(message);
  });
});

test('float values come out of FP16, BF16 and FP32', () => {
  for (const datatype of ['FP16', 'BF16', 'FP32'] as const) {
    const output = fromTensor(toTensor(tensor(datatype, [2], [1.5, -2])));
    expect(float32Values(output)).toEqual(Float32Array.of(1.5, -2));
  }
  const integers = fromTensor(toTensor(tensor('INT8', [1], [1])));
  expect(() => float32Values(integers)).toThrow('expected FP16, BF16 or FP32, got INT8');
});

test('texts come out of BYTES', () => {
  const texts = ['ä', '', '\ufeffa', '\ud83d\ude00'];
  const data = texts.map((text) => new TextEncoder().encode(text));
  expect(textValues({ datatype: 'BYTES', shape: [4], data })).toEqual(texts);
  expect(() => textValues({ datatype: 'INT8', shape: [0], data: new Int8Array() })).toThrow(
    'expected BYTES, got INT8',
  );
});

test.each([[[0xff]], [[0x61, 0xc3]], [[0xed, 0xa0, 0x80]]])(
  'bytes %j, which are no UTF-8, do not come out as another text',
  (bytes) => {
    const data = [Uint8Array.of(0x61), Uint8Array.from(bytes)];
    const read = () => textValues({ datatype: 'BYTES', shape: [2], data });
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(read).toThrow('element 1 is no UTF-8 text');
  },
);
