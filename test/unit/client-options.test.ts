import { describe, expect, test } from 'vitest';
import { toInferParams, type InferCall } from '../../src/client/infer.js';
import { toSettings, type ClientOptions } from '../../src/client/options.js';
import { TRUSTED } from '../support/certificates.js';

const settings = (options: unknown) =>
  toSettings(options as ClientOptions, () => expect.unreachable());

describe('an option', () => {
  test.each([
    [{ deadline: 5 }, /^the options of connect: expected keys of .*deadlineMs.*, got 'deadline'$/],
    [{ hedgeAfter: 5 }, /hedgeAfterMs.*got 'hedgeAfter'$/],
    [{ retry: { attempts: 5 } }, /^'retry': expected keys of .*maxAttempts, got 'attempts'$/],
    [{ reconnect: { min: 5 } }, /^'reconnect': expected keys of baseMs, maxMs, got 'min'$/],
  ])('%j that is not known is refused with those that are', (options, message) => {
    expect(() => settings(options)).toThrow(message);
    expect(() => settings(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test.each([
    ['text', TRUSTED[0]],
    ['bytes', Buffer.from(TRUSTED[0] ?? '')],
    ['an array', [TRUSTED[0], new TextEncoder().encode(TRUSTED[1])]],
  ])('ca may be %s', (_, ca) => {
    const { credentials } = settings({ ca });
    expect(credentials.ca).toEqual(TRUSTED.slice(0, Array.isArray(ca) ? 2 : 1));
  });

  test.each([
    ['/etc/ssl/cert.pem', 'a text without any'],
    [Buffer.from([0x30, 0x82]), 'a text without any'],
    [[TRUSTED[0], ''], 'a text without any'],
    [[], 'an empty array'],
    [{}, 'a map'],
    [5, '5'],
  ])('ca of %o is refused', (ca, got) => {
    const refused = () => settings({ ca });
    expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(refused).toThrow("'ca': expected certificates in PEM");
    expect(refused).toThrow(got);
  });
});

describe('the inputs of a call', () => {
  const params = (inputs: unknown) => toInferParams({ model: 'm', inputs } as InferCall);

  test.each([
    [undefined, "'inputs': expected a map of tensors, got nothing"],
    [[1, 2], "'inputs': expected a map of tensors, got [1, 2]"],
    [Float32Array.of(1), "'inputs': expected a map of tensors, got a bare Float32Array"],
    [{ x: [1, 2] }, "input 'x': expected {shape, data}, got [1, 2]"],
    [{ x: Float32Array.of(1) }, "input 'x': expected {shape, data}, got a bare Float32Array"],
    [{ x: 5 }, "input 'x': expected {shape, data}, got 5"],
    [{ x: null }, "input 'x': expected {shape, data}, got nil"],
    [{ x: { data: [1] } }, "input 'x': expected {shape, data}, got {data}"],
    [{ x: { shape: [1], data: [1] } }, "input 'x': data must be a typed array"],
    [
      { x: { shape: [1], data: Float32Array.of(1), datatype: 'float32' } },
      "input 'x': datatype: expected BOOL, UINT8,",
    ],
  ])('as %o are refused', (inputs, message) => {
    expect(() => params(inputs)).toThrow(message);
    expect(() => params(inputs)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
