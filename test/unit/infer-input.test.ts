import { describe, expect, test } from 'vitest';
import { bytesToInput, jsonToInput } from '../../src/cli/infer-input.js';
import { UsageError } from '../../src/cli/usage-error.js';
import { inputExample } from '../../src/cli/input-example.js';
import type { Datatype } from '../../src/rpc/tensor.js';

const input = (datatype: Datatype, shape: readonly number[] = [-1]) => ({
  name: 'x',
  datatype,
  shape,
});

describe('JSON', () => {
  test.each([
    ['BOOL', '[true, false, 1, 0]', Uint8Array.of(1, 0, 1, 0)],
    ['UINT8', '[0, 255]', Uint8Array.of(0, 255)],
    ['UINT16', '[0, 65535]', Uint16Array.of(0, 65_535)],
    ['UINT32', '[0, 4294967295]', Uint32Array.of(0, 2 ** 32 - 1)],
    ['UINT64', '[1, "18446744073709551615"]', BigUint64Array.of(1n, 2n ** 64n - 1n)],
    ['INT8', '[-128, 127]', Int8Array.of(-128, 127)],
    ['INT16', '[-32768, 32767]', Int16Array.of(-32_768, 32_767)],
    ['INT32', '[-2147483648, 2147483647]', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['INT64', '[-1, "-9223372036854775808"]', BigInt64Array.of(-1n, -(2n ** 63n))],
    ['FP32', '[0.1, -2, 1e30]', Float32Array.of(0.1, -2, 1e30)],
    ['FP16', '[1, -0.5, "NaN"]', Uint16Array.of(0x3c00, 0xb800, 0x7e00)],
    ['BF16', '[1, -0.5]', Uint16Array.of(0x3f80, 0xbf00)],
    ['FP64', '[0.1, "NaN", "-Infinity"]', Float64Array.of(0.1, NaN, -Infinity)],
    ['BYTES', '["a", "ä", 5, true]', ['a', 'ä', '5', 'true']],
    ['BYTES', '["a", {"base64": "/wA="}]', ['a', Buffer.of(0xff, 0)]],
  ] as const)('of %s holds its values: %s', (datatype, text, data) => {
    expect(jsonToInput(text, input(datatype))).toEqual({ datatype, shape: [data.length], data });
  });

  test.each([
    ['5', [1]],
    ['5, 6', [2]],
    ['[5]', [1]],
    ['[[1, 2, 3], [4, 5, 6]]', [2, 3]],
    ['[[[1]], [[2]]]', [2, 1, 1]],
    ['[]', [0]],
    ['[[], []]', [2, 0]],
  ])('%s has the shape %j', (text, shape) => {
    expect(jsonToInput(text, input('FP32')).shape).toEqual(shape);
  });

  test.each([
    ['1, 2, 3, 4', [-1, 2], [2, 2]],
    ['[1, 2, 3, 4]', [1, -1], [1, 4]],
    ['-5', [1, 1], [1, 1]],
    ['[5]', [], []],
  ] as const)('%s in a row fills %j as %j', (text, shape, filled) => {
    expect(jsonToInput(text, input('FP32', shape)).shape).toEqual(filled);
  });

  test.each([
    ['for two free dimensions', '[1, 2]', [-1, -1]],
    ['for a size it does not fill', '[1, 2, 3]', [-1, 2]],
  ] as const)('a row %s stays as it is, for the server to refuse', (_, text, shape) => {
    const { data, shape: own } = jsonToInput(text, input('FP32', shape));
    expect(own).toEqual([data.length]);
  });

  test('holds integers of 64 bits that are no texts', () => {
    const { data } = jsonToInput('[9007199254740993]', input('INT64'));
    expect(data).toEqual(BigInt64Array.of(9_007_199_254_740_993n));
  });

  test.each([
    ['[[1, 2], [3]]', 'its rows differ in length'],
    ['[[1, 2], [3], [4, 5, 6]]', 'its rows differ in length'],
    ['[1, [2]]', 'its rows differ in length'],
    ['{"shape": [3], "data": [1, 2]}', 'expected 3 elements for [3], got 2'],
    ['{"shape": [-2], "data": [1, 2]}', 'the shape must be an array of integers of at least 0'],
    ['{"shape": 2, "data": [1, 2]}', 'the shape must be an array of integers of at least 0'],
    ['{"datatype": "FP64", "shape": [1], "data": [1]}', 'expected FP32, got "FP64"'],
  ])('%s is refused', (text, problem) => {
    expect(() => jsonToInput(text, input('FP32'))).toThrow(`input 'x': ${problem}`);
  });

  test('may give shape and data apart, the data flat or not', () => {
    for (const data of ['[1, 2, 3, 4]', '[[1, 2], [3, 4]]']) {
      expect(jsonToInput(`{"shape": [2, 2], "data": ${data}}`, input('INT32'))).toEqual({
        datatype: 'INT32',
        shape: [2, 2],
        data: Int32Array.of(1, 2, 3, 4),
      });
    }
  });

  test.each([
    ['FP32', '["abc"]', '"abc" is no FP32'],
    ['FP32', '[null]', 'null is no FP32'],
    ['FP64', '[true]', 'true is no FP64'],
    ['FP32', '{"a": 1}', '{"a":1} is no FP32'],
    ['BOOL', '[2]', '2 is no BOOL'],
    ['BOOL', '["true"]', '"true" is no BOOL'],
    ['INT32', '[1, 1.5]', '1.5 is no INT32'],
    ['INT32', '[2147483648]', '2147483648 is no INT32'],
    ['UINT8', '[256]', '256 is no UINT8'],
    ['UINT8', '[-1]', '-1 is no UINT8'],
    ['UINT16', '[""]', '"" is no UINT16'],
    ['INT8', '["1e2"]', '"1e2" is no INT8'],
    ['INT64', '[9223372036854775808]', '9223372036854775808 is no INT64'],
    ['INT64', '["9223372036854775808"]', '"9223372036854775808" is no INT64'],
    ['INT64', '[true]', 'true is no INT64'],
    ['UINT64', '["-1"]', '"-1" is no UINT64'],
    ['FP16', '["1"]', '"1" is no FP16'],
  ] as const)('that is no %s is refused: %s', (datatype, text, problem) => {
    const refused = () => jsonToInput(text, input(datatype));
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(`input 'x': ${problem}`);
  });

  test.each(['', '[1', 'nothing', 'a,b'])('%o, which is none, is refused', (text) => {
    const refused = () => jsonToInput(text, input('FP32', [-1, 2]));
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(
      `input 'x': expected numbers or JSON for FP32 [?, 2], such as x=1,2, got '${text}'`,
    );
  });

  test('that is none is refused for BYTES with an example of texts', () => {
    expect(() => jsonToInput('a,b', input('BYTES', [2]))).toThrow(
      `input 'x': expected texts in JSON for BYTES [2], such as x='["a", "b"]', got 'a,b'`,
    );
  });
});

describe('raw bytes', () => {
  test.each([
    ['FP32', [2, 3], [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)],
    ['FP32', [-1, 3], [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)],
    ['INT64', [2, -1], [2, 1], BigInt64Array.of(-1n, 2n)],
    ['FP16', [-1], [2], Uint16Array.of(0x3c00, 1)],
    ['BOOL', [1, -1], [1, 2], Uint8Array.of(1, 0)],
    ['FP64', [], [], Float64Array.of(0.5)],
    ['FP32', [-1], [0], new Float32Array()],
  ] as const)('of %s fill %j as %j', (datatype, shape, filled, data) => {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    expect(bytesToInput(bytes, input(datatype, shape))).toEqual({ datatype, shape: filled, data });
  });

  test('that are not aligned are read all the same', () => {
    const bytes = Buffer.from(new ArrayBuffer(16)).subarray(3, 11);
    bytes.writeFloatLE(1.5, 4);
    expect(bytesToInput(bytes, input('FP32', [2])).data).toEqual(Float32Array.of(0, 1.5));
  });

  test('of BYTES are one element', () => {
    const bytes = Buffer.from('{"any": "thing"}');
    expect(bytesToInput(bytes, input('BYTES', [-1]))).toEqual({
      datatype: 'BYTES',
      shape: [1],
      data: [bytes],
    });
  });

  test.each([
    ['too few', [2, 3], 20],
    ['too many', [2, 3], 28],
    ['not whole rows', [-1, 3], 16],
    ['not whole elements', [-1], 7],
    ['for two free dimensions', [-1, -1], 16],
    ['for a dimension of 0', [-1, 0], 16],
    ['none for a scalar', [], 0],
  ])('that are %s are refused', (_, shape, count) => {
    const refused = () => bytesToInput(new Uint8Array(count), input('FP32', shape));
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(
      `input 'x': ${count} bytes do not fill FP32 [${shape.join(', ')}]; give JSON with a shape`,
    );
  });
});

describe('an example', () => {
  test.each([
    ['FP32', [-1, 4], 'x=1,2,3,4'],
    ['INT64', [], 'x=1'],
    ['INT64', [-1], 'x=1'],
    ['BOOL', [3], 'x=1,0,1'],
    ['BYTES', [-1], `x='["a"]'`],
    ['FP32', [-1, -1, 2], 'x=1,2 --shape x=1,1,2'],
    ['FP32', [-1, 512], 'x=@x.npy'],
    ['BYTES', [9], 'x=@x.json'],
    ['FP32', [0], 'x=@x.npy'],
  ] as const)('for %s %j is %s', (datatype, shape, example) => {
    expect(inputExample(input(datatype, shape))).toBe(example);
  });

  test('is one that is taken', () => {
    for (const shape of [[-1, 4], [], [1, 1], [2, -1]]) {
      for (const datatype of ['FP32', 'INT64', 'BOOL'] as const) {
        const signature = input(datatype, shape);
        const text = inputExample(signature).replace('x=', '');
        expect(jsonToInput(text, signature).shape).toHaveLength(shape.length);
      }
    }
  });
});

test.each([
  ['["\\ud800"]', 'expected Unicode texts, got half a pair of surrogates'],
  ['[null]', 'expected Unicode texts, got null'],
  ['[{"text": "a"}]', 'expected Unicode texts, got {"text":"a"}'],
  ['[{"base64": "/w"}]', "of padded base64, got '/w'"],
  ['[{"base64": 5}]', 'of padded base64, got 5'],
])('BYTES of %s are refused', (text, message) => {
  const make = () => jsonToInput(text, input('BYTES', [-1]));
  expect(make).toThrow(UsageError);
  expect(make).toThrow(message);
});
