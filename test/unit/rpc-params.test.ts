import { describe, expect, test } from 'vitest';
import { WarmswapError } from '../../src/rpc/errors.js';
import {
  parseCancelParams,
  parseDescribeParams,
  parseInferParams,
  parseNoParams,
} from '../../src/rpc/params.js';

const X = { datatype: 'FP32', shape: [1, 2], data: new Uint8Array(8) };

function refusal(parse: () => unknown): { code: string; message: string } {
  try {
    parse();
  } catch (error) {
    if (error instanceof WarmswapError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('the params were accepted');
}

const inferRefusal = (fields: unknown) => refusal(() => parseInferParams([fields]));
const tensorRefusal = (x: unknown) => inferRefusal({ model: 'm', inputs: { x } });

describe('infer', () => {
  test('needs a model and inputs only', () => {
    expect(parseInferParams([{ model: 'm', inputs: {} }])).toEqual({ model: 'm', inputs: {} });
  });

  test('takes every key of the contract that is served', () => {
    const params = {
      model: 'm',
      version: 3,
      inputs: { x: X },
      outputs: ['y', 'z'],
      deadlineMs: 0.5,
      priority: 0,
    };
    expect(parseInferParams([params])).toEqual(params);
    const labelled = { model: 'm', label: 'canary', inputs: {} };
    expect(parseInferParams([labelled])).toEqual(labelled);
  });

  test('takes the data as the view that it is', () => {
    const data = new Uint8Array(new ArrayBuffer(16), 8, 8);
    const { inputs } = parseInferParams([{ model: 'm', inputs: { x: { ...X, data } } }]);
    expect(inputs.x?.data).toBe(data);
  });

  test('takes inputs with the names of methods', () => {
    const { inputs } = parseInferParams([{ model: 'm', inputs: { toString: X, constructor: X } }]);
    expect(Object.keys(inputs)).toEqual(['toString', 'constructor']);
  });

  test('takes a key, which is text', () => {
    expect(parseInferParams([{ model: 'm', inputs: {}, key: 'user 7' }])).toEqual({
      model: 'm',
      inputs: {},
    });
    expect(inferRefusal({ model: 'm', inputs: {}, key: 7 })).toEqual({
      code: 'INVALID_ARGUMENT',
      message: "'key': expected a string, got 7",
    });
  });

  test.each([
    ['no params', [], "the params of 'infer': expected one map, got 0 values"],
    ['two params', [{}, {}], "the params of 'infer': expected one map, got 2 values"],
    ['nil', [null], "the params of 'infer': expected a map, got nil"],
    ['a list', [['m', 1]], "the params of 'infer': expected a map, got ['m', 1]"],
    ['text', ['m'], "the params of 'infer': expected a map, got 'm'"],
    ['bin', [new Uint8Array(3)], "the params of 'infer': expected a map, got bin of 3 bytes"],
  ])('refuses %s instead of one map', (_, params, message) => {
    expect(refusal(() => parseInferParams(params))).toEqual({ code: 'INVALID_ARGUMENT', message });
  });

  test.each([
    ['no model', { inputs: {} }, "'model': expected a string, got nothing"],
    ['a model that is a number', { model: 5, inputs: {} }, "'model': expected a string, got 5"],
    ['an empty model', { model: '', inputs: {} }, "'model': expected a string, got ''"],
    ['no inputs', { model: 'm' }, "'inputs': expected a map of tensors, got nothing"],
    [
      'inputs as a list',
      { model: 'm', inputs: [1] },
      "'inputs': expected a map of tensors, got [1]",
    ],
    [
      'a version that is text',
      { model: 'm', inputs: {}, version: '3' },
      "'version': expected a positive integer, got '3'",
    ],
    [
      'version 0',
      { model: 'm', inputs: {}, version: 0 },
      "'version': expected a positive integer, got 0",
    ],
    [
      'a version beyond all',
      { model: 'm', inputs: {}, version: 2n ** 60n },
      "'version': expected a positive integer, got 1152921504606846976",
    ],
    [
      'a version that is nil',
      { model: 'm', inputs: {}, version: null },
      "'version': expected a positive integer, got nil",
    ],
    [
      'a label that is a number',
      { model: 'm', inputs: {}, label: 1 },
      "'label': expected a string, got 1",
    ],
    [
      'a version and a label',
      { model: 'm', inputs: {}, version: 1, label: 'a' },
      "give 'version' or 'label', not both",
    ],
    [
      'outputs that are text',
      { model: 'm', inputs: {}, outputs: 'y' },
      "'outputs': expected an array of at least one string, got 'y'",
    ],
    [
      'no outputs',
      { model: 'm', inputs: {}, outputs: [] },
      "'outputs': expected an array of at least one string, got []",
    ],
    [
      'an output that is no text',
      { model: 'm', inputs: {}, outputs: ['y', {}] },
      "'outputs': expected an array of at least one string, got ['y', a map]",
    ],
    [
      'an output that is wanted twice',
      { model: 'm', inputs: {}, outputs: ['y', 'y'] },
      "'outputs': expected each name once, got ['y', 'y']",
    ],
    [
      'a deadline that is text',
      { model: 'm', inputs: {}, deadlineMs: '5' },
      "'deadlineMs': expected a number above 0, at most 1e9, got '5'",
    ],
    [
      'a deadline of 0',
      { model: 'm', inputs: {}, deadlineMs: 0 },
      "'deadlineMs': expected a number above 0, at most 1e9, got 0",
    ],
    [
      'a deadline that is not a number',
      { model: 'm', inputs: {}, deadlineMs: NaN },
      "'deadlineMs': expected a number above 0, at most 1e9, got NaN",
    ],
    [
      'a deadline without end',
      { model: 'm', inputs: {}, deadlineMs: Infinity },
      "'deadlineMs': expected a number above 0, at most 1e9, got Infinity",
    ],
  ])('refuses %s and says so', (_, fields, message) => {
    expect(inferRefusal(fields)).toEqual({ code: 'INVALID_ARGUMENT', message });
  });

  test('refuses a key that it does not know and names those it does', () => {
    const { code, message } = inferRefusal({ model: 'm', inputs: {}, modle: 'm' });
    expect(code).toBe('INVALID_ARGUMENT');
    expect(message).toMatch(/expected keys of model, version, label, .*, got 'modle'$/);
  });
});

describe('a tensor', () => {
  test.each([
    ['BOOL', new Uint8Array(2)],
    ['BYTES', ['text', new Uint8Array(1)]],
    ['BYTES', []],
  ])('of %s is taken with data %o', (datatype, data) => {
    const x = { datatype, shape: [2], data };
    expect(parseInferParams([{ model: 'm', inputs: { x } }]).inputs).toEqual({ x });
  });

  test.each([[[]], [[0]], [[1, 2, 3]], [[Number.MAX_SAFE_INTEGER]]])(
    'is taken with shape %o',
    (shape) => {
      const x = { ...X, shape };
      expect(parseInferParams([{ model: 'm', inputs: { x } }]).inputs.x?.shape).toEqual(shape);
    },
  );

  test.each([
    ['nil', null, "input 'x': expected a map, got nil"],
    ['bin', new Uint8Array(4), "input 'x': expected a map, got bin of 4 bytes"],
    ['a list', [1, [2]], "input 'x': expected a map, got [1, an array]"],
    ['a long list', Array(17).fill(0), "input 'x': expected a map, got an array of 17"],
    ['with long text', 'a'.repeat(100), `input 'x': expected a map, got '${'a'.repeat(64)}'`],
    [
      'with a key that is not known',
      { ...X, dtype: 'FP32' },
      "input 'x': expected keys of datatype, shape, data, got 'dtype'",
    ],
    [
      'without shape',
      { ...X, shape: undefined },
      "input 'x': shape: expected an array of integers of at least 0, got nothing",
    ],
    [
      'with a negative dimension',
      { ...X, shape: [1, -1] },
      "input 'x': shape: expected an array of integers of at least 0, got [1, -1]",
    ],
    [
      'with a dimension that is a 64-bit integer',
      { ...X, shape: [2n ** 60n] },
      "input 'x': shape: expected an array of integers of at least 0, got [1152921504606846976]",
    ],
    [
      'with half a dimension',
      { ...X, shape: [0.5] },
      "input 'x': shape: expected an array of integers of at least 0, got [0.5]",
    ],
    ['without data', { ...X, data: undefined }, "input 'x': data: expected bin, got nothing"],
    ['with numbers as data', { ...X, data: [1, 2] }, "input 'x': data: expected bin, got [1, 2]"],
    ['with text as data', { ...X, data: 'ab' }, "input 'x': data: expected bin, got 'ab'"],
    [
      'of BYTES with bin as data',
      { ...X, datatype: 'BYTES' },
      "input 'x': data of BYTES: expected an array of bin or str, got bin of 8 bytes",
    ],
    [
      'of BYTES with a number in its data',
      { ...X, datatype: 'BYTES', data: ['a', 1] },
      "input 'x': data of BYTES: expected an array of bin or str, got ['a', 1]",
    ],
  ])('%s is refused', (_, x, message) => {
    expect(tensorRefusal(x)).toEqual({ code: 'INVALID_ARGUMENT', message });
  });

  test.each(['FP8', 'fp32', 'toString', '', 5, undefined])(
    'of datatype %o is refused, and those that exist are named',
    (datatype) => {
      const { message } = tensorRefusal({ ...X, datatype });
      expect(message).toMatch(/^input 'x': datatype: expected BOOL, UINT8, .*, BYTES, got /);
    },
  );
});

describe('describe', () => {
  test('takes a model, and a version if there is one', () => {
    expect(parseDescribeParams([{ model: 'm' }])).toEqual({ model: 'm' });
    expect(parseDescribeParams([{ model: 'm', version: 2 }])).toEqual({ model: 'm', version: 2 });
  });

  test.each([
    [[], "the params of 'describe': expected one map, got 0 values"],
    [[{}], "'model': expected a string, got nothing"],
    [[{ model: 'm', version: -1 }], "'version': expected a positive integer, got -1"],
    [
      [{ model: 'm', label: 'a' }],
      "the params of 'describe': expected keys of model, version, got 'label'",
    ],
  ])('refuses %j', (params, message) => {
    expect(refusal(() => parseDescribeParams(params))).toEqual({
      code: 'INVALID_ARGUMENT',
      message,
    });
  });
});

describe('a method without params', () => {
  test.each([[[]], [[{}]]])('takes %j', (params) => {
    expect(() => parseNoParams(params, 'models')).not.toThrow();
  });

  test.each([
    [[null], "the params of 'models': expected a map, got nil"],
    [[{}, {}], "the params of 'models': expected one map, got 2 values"],
    [[{ a: 1 }], "the params of 'models': expected no keys, got 'a'"],
  ])('refuses %j', (params, message) => {
    expect(
      refusal(() => {
        parseNoParams(params, 'models');
      }).message,
    ).toBe(message);
  });
});

describe('cancel', () => {
  test('takes a msgid', () => {
    expect(parseCancelParams([{ msgid: 7 }])).toBe(7);
  });

  test.each([
    [[], "the params of 'cancel': expected one map, got 0 values"],
    [[{}], "'msgid': expected an integer of at least 0, got nothing"],
    [[{ msgid: -1 }], "'msgid': expected an integer of at least 0, got -1"],
    [[{ msgid: 1, all: true }], "the params of 'cancel': expected keys of msgid, got 'all'"],
  ])('refuses %o', (params, message) => {
    expect(refusal(() => parseCancelParams(params))).toEqual({ code: 'INVALID_ARGUMENT', message });
  });
});
