import { describe, expect, test } from 'vitest';
import { joinElements, splitElements } from '../../src/server/http/bytes-elements.js';
import { parseInferRequest } from '../../src/server/http/infer-request.js';
import { parseRawRequest } from '../../src/server/http/raw-request.js';
import type { Datatype } from '../../src/rpc/tensor.js';

type Fields = Record<string, unknown>;

const x = { name: 'x', shape: [2], datatype: 'FP32', data: [1, 2] };
const float32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

function parse(request: unknown, binary = new Uint8Array(0)) {
  const header = Buffer.from(typeof request === 'string' ? request : JSON.stringify(request));
  return parseInferRequest(Buffer.concat([header, binary]), header.length);
}

const input = (fields: Fields) => ({ inputs: [{ ...x, ...fields }] });
const binaryInput = (size: unknown, fields: Fields = {}) =>
  input({ data: undefined, parameters: { binary_data_size: size }, ...fields });

test('a plain request needs inputs alone', () => {
  const request = parse({ inputs: [x] });
  expect(request.inputs).toEqual({ x: { datatype: 'FP32', shape: [2], data: float32(1, 2) } });
  expect(request).not.toHaveProperty('outputs');
  expect(request).not.toHaveProperty('timeoutMs');
  expect(request.isBinary('y')).toBe(false);
});

test('data may be nested, and what other servers know is ignored', () => {
  const request = parse({
    ...input({
      shape: [2, 2],
      data: [
        [1, 2],
        [3, [4]],
      ],
      content_type: 'np',
    }),
    model_name: 'x',
    parameters: { sequence_id: 5, other: {} },
  });
  expect(request.inputs.x?.data).toEqual(float32(1, 2, 3, 4));
});

test('id, priority, timeout and outputs', () => {
  const request = parse({
    id: 'a',
    inputs: [x],
    parameters: { priority: 1, timeout: 1500, binary_data_output: true },
    outputs: [{ name: 'y' }, { name: 'z', parameters: { binary_data: false } }],
  });
  expect(request).toMatchObject({ id: 'a', priority: 0, timeoutMs: 1.5, outputs: ['y', 'z'] });
  expect(['y', 'z', 'other'].map(request.isBinary)).toEqual([true, false, true]);
});

test('a priority and a timeout of 0, and no outputs, are the defaults', () => {
  const request = parse({ inputs: [x], parameters: { priority: 0, timeout: 0 }, outputs: [] });
  expect(Object.keys(request).sort()).toEqual(['inputs', 'isBinary']);
});

test('integers of 64 bits are exact', () => {
  const request = parse(
    '{"inputs":[{"name":"x","shape":[2],"datatype":"INT64","data":[9007199254740993,-9223372036854775808]}]}',
  );
  const data = BigInt64Array.of(9007199254740993n, -9223372036854775808n);
  expect(request.inputs.x?.data).toEqual(new Uint8Array(data.buffer));
});

test('binary data follow in the order of the inputs, beside inputs in JSON', () => {
  const words = joinElements(['ab', '']);
  const request = parse(
    {
      inputs: [
        { name: 'a', shape: [1], datatype: 'FP32', parameters: { binary_data_size: 4 } },
        x,
        { name: 'b', shape: [2], datatype: 'BYTES', parameters: { binary_data_size: 10 } },
        { name: 'c', shape: [0], datatype: 'FP16', parameters: { binary_data_size: 0 } },
      ],
    },
    Buffer.concat([float32(7), words]),
  );
  expect(request.inputs.a?.data).toEqual(Buffer.from(float32(7)));
  expect(request.inputs.b?.data).toEqual([Buffer.from('ab'), Buffer.from('')]);
  expect(request.inputs.c?.data).toHaveLength(0);
});

test('a tensor may have any name', () => {
  const request = parse({ inputs: [{ ...x, name: '__proto__' }] });
  expect(Object.keys(request.inputs)).toEqual(['__proto__']);
});

describe('is refused:', () => {
  test.each<[string, unknown]>([
    ['not valid JSON', '{'],
    ['the request: ', []],
    ['the request: ', null],
    ['inputs: expected an array of at most 1024, got nothing', {}],
    ['inputs: expected an array of at most 1024, got a map', { inputs: {} }],
    ['inputs: expected an array of at most 1024, got 1025', { inputs: Array(1025).fill(x) }],
    ['outputs: expected an array of at most 1024', { inputs: [x], outputs: Array(5000).fill(0) }],
    ['inputs.0', { inputs: [1] }],
    ['inputs.0.name', input({ name: '' })],
    ["input 'x': datatype is missing", input({ datatype: undefined })],
    ["input 'x': shape is missing", input({ shape: undefined })],
    ['inputs.0.name', input({ name: undefined })],
    ['inputs.0.datatype', input({ datatype: 'FP8' })],
    ['inputs.0.datatype', input({ datatype: 'toString' })],
    ['inputs.0.shape', input({ shape: [-1] })],
    ['inputs.0.shape', input({ shape: [1.5] })],
    ['inputs.0.shape', input({ shape: 2 })],
    ['inputs.0.shape', input({ shape: Array(65).fill(1) })],
    [
      'inputs.0.shape',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[99999999999999999],"data":[]}]}',
    ],
    ['inputs.0.data', input({ data: 5 })],
    ['inputs.0.data', input({ data: { 0: 1 } })],
    ["input 'x': data: expected an array", input({ data: undefined })],
    ["input 'x': data: expected 2 elements for [2], got 3", input({ data: [1, 2, 3] })],
    ['got 2', input({ shape: [1e15, 1e15, 1e15] })],
    ['input \'x\': "a" is no FP32', input({ data: ['a', 1] })],
    ["input 'x': null is no FP32", input({ data: [null, 1] })],
    ["input 'x': 1.5 is no INT32", input({ datatype: 'INT32', data: [1.5, 1] })],
    ['JSON does not hold FP16', input({ datatype: 'FP16' })],
    ['JSON does not hold BF16', input({ datatype: 'BF16' })],
    ['expected Unicode texts, got number', input({ datatype: 'BYTES' })],
    ['expected Unicode texts', input({ datatype: 'BYTES', data: ['\ud800', ''] })],
    ['each name once', { inputs: [x, x] }],
    ['each name once', { inputs: [x], outputs: [{ name: 'y' }, { name: 'y' }] }],
    ['outputs.0.name', { inputs: [x], outputs: [{}] }],
    ['id', { inputs: [x], id: 5 }],
    ['parameters.priority', { inputs: [x], parameters: { priority: -1 } }],
    ['parameters.priority', { inputs: [x], parameters: { priority: 1000 } }],
    ['parameters.timeout', { inputs: [x], parameters: { timeout: 1.5 } }],
    ['parameters.timeout', { inputs: [x], parameters: { timeout: 1e13 } }],
    ['parameters.timeout', { inputs: [x], parameters: { timeout: '5' } }],
    ['binary_data_output', { inputs: [x], parameters: { binary_data_output: 1 } }],
    ['not served', { inputs: [x], outputs: [{ name: 'y', parameters: { classification: 3 } }] }],
    ['not served', input({ parameters: { shared_memory_region: 'r' } })],
    ['expected 8 bytes, got 0 left', binaryInput(8)],
    ['binary_data_size', binaryInput(-1)],
    ['binary_data_size', binaryInput('8')],
    ['expected none beside', binaryInput(0, { data: [] })],
    ['the key', '{"inputs":[],"inputs":[]}'],
    ['__proto__', '{"__proto__":{},"inputs":[]}'],
  ])('%s …', (message, request) => {
    expect(() => parse(request)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  test('more or less binary data than the inputs name', () => {
    expect(() => parse(binaryInput(4), new Uint8Array(5))).toThrow(/expected the 4 bytes.*got 5/);
    expect(() => parse(binaryInput(4), new Uint8Array(3))).toThrow('expected 4 bytes, got 3 left');
    expect(() => parse({ inputs: [x] }, new Uint8Array(1))).toThrow('expected the 0 bytes');
  });

  test('a header longer than the body', () => {
    expect(() => parseInferRequest(new Uint8Array(4), 5)).toThrow('expected at most 4, got 5');
  });

  test('many wrong inputs, with few words', () => {
    const error = { inputs: Array(1024).fill(1) };
    expect(() => parse(error)).toThrow(/^(?:[^;]*;){2}[^;]*$/);
  });
});

describe('BYTES in binary', () => {
  test('come back as they went', () => {
    const elements = ['', 'é', Uint8Array.of(0, 255)];
    const back = splitElements(joinElements(elements)).map((element) => Buffer.from(element));
    expect(back).toEqual([Buffer.from(''), Buffer.from('é'), Buffer.from([0, 255])]);
    expect(splitElements(new Uint8Array(0))).toEqual([]);
  });

  test.each([[[1]], [[1, 0, 0]], [[5, 0, 0, 0, 1]], [[255, 255, 255, 255]], [[0, 0, 0, 0, 9]]])(
    '%j is refused',
    (bytes) => expect(() => splitElements(Uint8Array.from(bytes))).toThrow('BYTES: expected'),
  );

  test('too many elements are refused', () => {
    expect(() => splitElements(new Uint8Array(2 ** 22 + 4))).toThrow(
      'at most 1048576 elements, got 1048577',
    );
  });
});

describe('a raw request', () => {
  const raw = (bytes: number, shape: number[], datatype: Datatype = 'FP32') =>
    parseRawRequest(new Uint8Array(bytes), [{ name: 'x', datatype, shape }]).inputs.x?.shape;

  test('gets its shape from its length', () => {
    expect(raw(32, [-1, 4])).toEqual([2, 4]);
    expect(raw(0, [-1, 4])).toEqual([0, 4]);
    expect(raw(16, [1, 4])).toEqual([1, 4]);
    expect(raw(4, [])).toEqual([]);
    expect(raw(0, [0, 4])).toEqual([0, 4]);
  });

  test.each([
    [31, [-1, 4], 'a multiple of 16 bytes, got 31'],
    [20, [1, 4], 'expected 16 bytes, got 20'],
    [0, [1, 4], 'expected 16 bytes, got 0'],
    [4, [0, 4], 'expected 0 bytes, got 4'],
    [4, [-1, 0], 'bytes, got 4'],
    [0, [-1, 0], 'bytes, got 0'],
    [16, [-1, -1], 'at most one free dimension'],
  ])('of %i bytes for %j is refused', (bytes, shape, message) => {
    expect(() => raw(bytes, shape)).toThrow(message);
  });

  test('needs one input of fixed-size elements', () => {
    expect(() => raw(4, [-1], 'BYTES')).toThrow('a fixed size');
    expect(() => parseRawRequest(new Uint8Array(4), [])).toThrow('one input');
  });
});
