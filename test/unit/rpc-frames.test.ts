import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WarmswapError } from '../../src/rpc/errors.js';
import {
  decodeMessage,
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
} from '../../src/rpc/frames.js';
import { FrameError } from '../../src/rpc/structure.js';

function closeCode(bytes: Uint8Array): number {
  try {
    decodeMessage(bytes);
  } catch (error) {
    if (error instanceof FrameError) return error.closeCode;
    throw error;
  }
  throw new Error('the frame was accepted');
}

describe('what is encoded here is what another decoder reads', () => {
  test('a request', () => {
    expect(decode(encodeRequest(7, 'infer', { model: 'm' }))).toEqual([
      0,
      7,
      'infer',
      [{ model: 'm' }],
    ]);
  });

  test('a result', () => {
    expect(decode(encodeResult(7, [1, 'two', null]) as Uint8Array)).toEqual([
      1,
      7,
      null,
      [1, 'two', null],
    ]);
  });

  test('an error', () => {
    const error = new WarmswapError('NOT_FOUND', 'no such model', { details: { near: 'm' } });
    expect(decode(encodeError(7, error))).toEqual([
      1,
      7,
      {
        code: 'NOT_FOUND',
        message: 'no such model',
        retryable: false,
        details: { near: 'm' },
      },
      null,
    ]);
  });

  test('a notification', () => {
    expect(decode(encodeNotification('event', { type: 'swap' }))).toEqual([
      2,
      'event',
      [{ type: 'swap' }],
    ]);
  });

  test('undefined as nil, since an extension would not be read', () => {
    expect(decode(encodeResult(1, undefined) as Uint8Array)).toEqual([1, 1, null, null]);
    expect(decode(encodeRequest(1, 'ping', { a: undefined, b: [undefined] }))).toEqual([
      0,
      1,
      'ping',
      [{ a: null, b: [null] }],
    ]);
  });

  test('objects of the same shape without records', () => {
    const same = Array.from({ length: 50 }, (_, i) => ({ datatype: 'FP32', shape: [i] }));
    expect(decode(encodeResult(1, same) as Uint8Array)).toEqual([1, 1, null, same]);
  });
});

describe('what another encoder wrote is read', () => {
  test('as a request', () => {
    expect(decodeMessage(encode([0, 0xffff_ffff, 'infer', [{ model: 'm' }, 2]]))).toEqual({
      kind: 'request',
      msgid: 0xffff_ffff,
      method: 'infer',
      params: [{ model: 'm' }, 2],
    });
  });

  test('as a response with a result or an error', () => {
    expect(decodeMessage(encode([1, 0, null, { a: 1 }]))).toEqual({
      kind: 'response',
      msgid: 0,
      error: null,
      result: { a: 1 },
    });
    expect(decodeMessage(encode([1, 3, 'broken', null]))).toEqual({
      kind: 'response',
      msgid: 3,
      error: 'broken',
      result: null,
    });
  });

  test('as a notification', () => {
    expect(decodeMessage(encode([2, 'cancel', []]))).toEqual({
      kind: 'notification',
      method: 'cancel',
      params: [],
    });
  });

  test('with bin as views on the frame', () => {
    const bytes = encode([1, 1, null, Uint8Array.of(1, 2, 3)]);
    const message = decodeMessage(bytes);
    if (message.kind !== 'response') throw new Error('no response');
    const data = message.result as Uint8Array;
    expect([...data]).toEqual([1, 2, 3]);
    expect(data.buffer).toBe(bytes.buffer);
  });

  test('with a msgid in the widest integer', () => {
    const [, , ...rest] = encode([0, 5, 'ping', []]);
    const wide = Uint8Array.from([0x94, 0, 0xcf, 0, 0, 0, 0, 0, 0, 0, 5, ...rest.slice(1)]);
    expect(decodeMessage(wide)).toMatchObject({ msgid: 5, method: 'ping' });
  });

  test('with a key that only looks like __proto__ as an ordinary one', () => {
    const { result } = decodeMessage(
      encode([1, 1, null, { __proto_: 1, constructor: 2 }]),
    ) as unknown as {
      result: object;
    };
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.keys(result)).toEqual(['__proto_', 'constructor']);
  });
});

describe('64-bit integers', () => {
  const beyond = [2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n, -(2n ** 53n) - 1n, -(2n ** 63n)];

  test.each(beyond)('%o comes and goes exactly', (value) => {
    const incoming = encode([1, 1, null, value], { useBigInt64: true });
    expect(decodeMessage(incoming)).toMatchObject({ result: value });
    const outgoing = encodeResult(1, value) as Uint8Array;
    expect(decode(outgoing, { useBigInt64: true })).toEqual([1, 1, null, value]);
  });

  test.each([0n, 1n, -1n, 2n ** 32n, 2n ** 53n - 1n, -(2n ** 53n) + 1n])(
    '%o, which a number holds, comes as a number',
    (value) => {
      const incoming = encode([1, 1, null, value], { useBigInt64: true });
      expect(decodeMessage(incoming)).toMatchObject({ result: Number(value) });
    },
  );

  test('wider than 64 bits are not sent', () => {
    expect(() => encodeResult(1, 2n ** 64n)).toThrow(RangeError);
  });
});

describe('what is MessagePack but no MessagePack-RPC closes with 1002', () => {
  test.each([
    ['a map', { 0: 0 }],
    ['a number', 5],
    ['nil', null],
    ['text', '[0, 1, "ping", []]'],
    ['an empty array', []],
    ['a type that is not known', [3, 1, 'ping', []]],
    ['a type that is text', ['0', 1, 'ping', []]],
    ['a type that is a float', [0.5, 1, 'ping', []]],
    ['a request with too few parts', [0, 1, 'ping']],
    ['a request with too many parts', [0, 1, 'ping', [], null]],
    ['a response with too few parts', [1, 1, null]],
    ['a notification with too many parts', [2, 'ping', [], null]],
    ['a negative msgid', [0, -1, 'ping', []]],
    ['a msgid over 32 bits', [0, 2 ** 32, 'ping', []]],
    ['a msgid over 53 bits', [0, 2n ** 60n, 'ping', []]],
    ['a msgid that is no integer', [0, 1.5, 'ping', []]],
    ['a msgid that is text', [0, '1', 'ping', []]],
    ['a msgid of a response that is nil', [1, null, null, null]],
    ['a method that is no text', [0, 1, 7, []]],
    ['a method that is bin', [0, 1, Uint8Array.of(112), []]],
    ['a method of a notification that is nil', [2, null, []]],
    ['params that are a map', [0, 1, 'ping', {}]],
    ['params that are nil', [0, 1, 'ping', null]],
    ['params that are bin', [0, 1, 'ping', Uint8Array.of(1)]],
    ['params of a notification that are text', [2, 'ping', 'x']],
  ])('%s', (_, value) => {
    expect(closeCode(encode(value, { useBigInt64: true }))).toBe(1002);
  });
});

test.each([
  ['nothing', []],
  ['an extension', [0x94, 0, 1, 0xa1, 112, 0x91, 0xd4, 1, 0]],
  ['a value that is cut off', [0x94, 0, 1, 0xa4, 112, 105]],
])('%s closes with 1007', (_, bytes) => {
  expect(closeCode(Uint8Array.from(bytes))).toBe(1007);
});

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    // Plus zero, because MessagePack's integers have no negative zero.
    fc.oneof(
      fc.maxSafeInteger(),
      fc.double().map((value) => value + 0),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
}));

/** Views and Buffers are the same bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return ['bin', ...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, item]) => [key, plain(item)]);
}

test('any value means the same to this and to another implementation, both ways', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const incoming = decodeMessage(encode([1, 1, null, value]));
      if (incoming.kind !== 'response') throw new Error('no response');
      expect(plain(incoming.result)).toEqual(plain(value));
      expect(plain(decode(encodeResult(1, value) as Uint8Array))).toEqual(
        plain([1, 1, null, value]),
      );
    }),
    { numRuns: 500 },
  );
});

test('no bytes do anything but be read or close the connection', () => {
  const request = encode([0, 1, 'infer', [{ model: 'm', inputs: { x: { shape: [1, 2] } } }]]);
  const changed = fc
    .array(fc.tuple(fc.nat(request.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const bytes = request.slice();
      for (const [index, byte] of changes) bytes[index] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), changed), (bytes) => {
      let kind: string | number;
      try {
        kind = decodeMessage(bytes).kind;
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
        kind = (error as FrameError).closeCode;
      }
      expect(['request', 'unreadable', 'response', 'notification', 1002, 1007]).toContain(kind);
    }),
    { numRuns: 5_000 },
  );
});
