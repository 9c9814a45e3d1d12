import { describe, expect, test } from 'vitest';
import { dataFromJson } from '../../src/rpc/json-tensor.js';
import { dataToJson } from '../../src/rpc/tensor-json.js';
import type { Datatype, Tensor } from '../../src/rpc/tensor.js';

const bytesOf = (view: ArrayBufferView) =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const tensor = (datatype: Datatype, data: Tensor['data'], shape = [data.length]): Tensor => ({
  datatype,
  shape,
  data,
});

describe.each<[Datatype, string]>([
  ['BOOL', '[true,false]'],
  ['UINT8', '[0,255]'],
  ['UINT16', '[0,65535]'],
  ['UINT32', '[0,4294967295]'],
  ['UINT64', '[0,9007199254740993,18446744073709551615]'],
  ['INT8', '[-128,127]'],
  ['INT16', '[-32768,32767]'],
  ['INT32', '[-2147483648,2147483647]'],
  ['INT64', '[-9223372036854775808,-1,9223372036854775807]'],
  ['FP32', '[0.5,-2,"NaN","Infinity","-Infinity"]'],
  ['FP64', '[0.1,1e+300]'],
  ['BYTES', '["","é","\\"\\n"]'],
])('%s', (datatype, text) => {
  const elements = [...text.slice(1, -1).split(',')].map((item) => {
    return /^-?\d{16,}$/.test(item) ? BigInt(item) : (JSON.parse(item) as unknown);
  });

  test('goes to JSON as it came', () => {
    expect(dataToJson(tensor(datatype, dataFromJson(elements, datatype)))).toBe(text);
  });
});

test.each<[Datatype, unknown]>([
  ['UINT8', 256],
  ['UINT8', -1],
  ['INT8', 128],
  ['INT8', 1.5],
  ['INT32', 2147483648],
  ['INT64', 9223372036854775808n],
  ['INT64', -9223372036854775809n],
  ['INT64', 2 ** 53],
  ['UINT64', -1n],
  ['UINT64', 18446744073709551616n],
  ['INT64', true],
  ['INT64', null],
  ['INT64', '1'.repeat(100)],
  ['BOOL', 2],
  ['FP32', 'x'],
  ['FP32', '1'],
  ['FP32', null],
  ['FP32', []],
])('as %s, %s is refused', (datatype, element) => {
  expect(() => dataFromJson([element], datatype)).toThrow(`is no ${datatype}`);
});

test.each([['\ud800'], ['a\udc00'], [null], [{ base64: 'YQ==' }], [[]]])(
  'as BYTES, %j is refused',
  (element) => {
    expect(() => dataFromJson(['a', element], 'BYTES')).toThrow('BYTES: expected Unicode texts');
  },
);

test('a long integer is a float where floats are asked for', () => {
  expect(dataFromJson([2n ** 60n], 'FP32')).toEqual(bytesOf(Float32Array.of(2 ** 60)));
});

test('data may begin at any byte', () => {
  const odd = new Uint8Array([9, ...bytesOf(BigInt64Array.of(-5n))]).subarray(1);
  expect(dataToJson(tensor('INT64', odd))).toBe('[-5]');
});

test.each<[string, Tensor]>([
  ['FP16', tensor('FP16', new Uint8Array(2))],
  ['BF16', tensor('BF16', new Uint8Array(2))],
  ['BYTES that are no UTF-8', tensor('BYTES', [Uint8Array.of(0xff)])],
  ['a tensor of 8388609 elements', tensor('UINT8', new Uint8Array(2 ** 23 + 1))],
])('%s is not for JSON', (what, value) => {
  expect(() => dataToJson(value)).toThrow(`JSON does not hold ${what}`);
});
