import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { checkStructure, FrameError } from '../../src/rpc/structure.js';

const NIL = 0xc0;

function refusal(bytes: Uint8Array): FrameError {
  try {
    checkStructure(bytes);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error('the frame was accepted');
}

function expectRefused(bytes: Uint8Array, message: RegExp): void {
  const error = refusal(bytes);
  expect(error.closeCode).toBe(1007);
  expect(error.message).toMatch(message);
}

function uint(value: number, bytes: 1 | 2 | 4): number[] {
  return [24, 16, 8, 0].slice(4 - bytes).map((shift) => (value >>> shift) & 0xff);
}

const many = (count: number, byte: number) => new Array<number>(count).fill(byte);
const entries = (count: number) => Array.from({ length: count }, (_, i) => [0xa1, 97 + i, NIL]);

/** The smallest sensible value that starts with this type byte; nothing if none may. */
function sampleOf(type: number): number[] | undefined {
  if (type <= 0x7f || type >= 0xe0) return [type];
  if (type <= 0x8f) return [type, ...entries(type & 0x0f).flat()];
  if (type <= 0x9f) return [type, ...many(type & 0x0f, NIL)];
  if (type <= 0xbf) return [type, ...many(type & 0x1f, 0x61)];
  return TYPED[type];
}

const TYPED: Readonly<Record<number, number[]>> = {
  0xc0: [0xc0],
  0xc2: [0xc2],
  0xc3: [0xc3],
  0xc4: [0xc4, ...uint(2, 1), 1, 2],
  0xc5: [0xc5, ...uint(2, 2), 1, 2],
  0xc6: [0xc6, ...uint(2, 4), 1, 2],
  0xca: [0xca, ...many(4, 1)],
  0xcb: [0xcb, ...many(8, 1)],
  0xcc: [0xcc, 1],
  0xcd: [0xcd, ...many(2, 1)],
  0xce: [0xce, ...many(4, 1)],
  0xcf: [0xcf, ...many(8, 1)],
  0xd0: [0xd0, 1],
  0xd1: [0xd1, ...many(2, 1)],
  0xd2: [0xd2, ...many(4, 1)],
  0xd3: [0xd3, ...many(8, 1)],
  0xd9: [0xd9, ...uint(2, 1), 97, 98],
  0xda: [0xda, ...uint(2, 2), 97, 98],
  0xdb: [0xdb, ...uint(2, 4), 97, 98],
  0xdc: [0xdc, ...uint(2, 2), NIL, NIL],
  0xdd: [0xdd, ...uint(2, 4), NIL, NIL],
  0xde: [0xde, ...uint(2, 2), ...entries(2).flat()],
  0xdf: [0xdf, ...uint(2, 4), ...entries(2).flat()],
};

const TYPES = Array.from({ length: 256 }, (_, type) => ({
  type,
  name: `0x${type.toString(16).padStart(2, '0')}`,
  sample: sampleOf(type),
}));

describe('a value of type', () => {
  const accepted = TYPES.filter(({ sample }) => sample !== undefined);

  test.each(accepted)('$name is accepted whole, as by another decoder', ({ sample = [] }) => {
    const bytes = Uint8Array.from(sample);
    expect(() => decode(bytes)).not.toThrow();
    expect(() => checkStructure(bytes)).not.toThrow();
  });

  test.each(accepted)('$name is refused when it is cut off anywhere', ({ sample = [] }) => {
    for (let end = 0; end < sample.length; end++) {
      expectRefused(Uint8Array.from(sample.slice(0, end)), /ends in the middle|is cut off/);
    }
  });

  test.each(accepted)('$name is refused with bytes behind it', ({ sample = [] }) => {
    expectRefused(Uint8Array.from([...sample, NIL, NIL]), /2 bytes follow the value/);
  });

  const refused = TYPES.filter(({ sample }) => sample === undefined);

  test('is an extension or 0xc1 exactly where it is refused', () => {
    const extensions = [0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8];
    expect(refused.map(({ type }) => type)).toEqual([0xc1, ...extensions]);
  });

  test.each(refused)('$name is refused, also deep inside', ({ type, name }) => {
    const value = [type, 1, 1, ...many(20, 0)];
    expectRefused(Uint8Array.from(value), new RegExp(`type ${name}`));
    expectRefused(Uint8Array.from([0x91, 0x81, 0xa1, 97, ...value]), new RegExp(`type ${name}`));
  });
});

const REQUEST = encode([
  0,
  4_000_000_000,
  'infer',
  [
    {
      model: 'm',
      version: 70_000,
      deadlineMs: 0.5,
      inputs: {
        x: { datatype: 'FP32', shape: [1, 300], data: new Uint8Array(300) },
        ['größe, '.repeat(40)]: { datatype: 'BYTES', shape: [-1], data: ['a', new Uint8Array(1)] },
      },
      a: null,
      b: true,
      c: -100,
      d: -40_000,
      e: 'x'.repeat(70_000),
    },
  ],
]);

test('a request that is cut off at any byte is refused', () => {
  expect(() => checkStructure(REQUEST)).not.toThrow();
  const step = (end: number) => (end > 1_000 && end < REQUEST.length - 1_000 ? 997 : 1);
  for (let end = 0; end < REQUEST.length; end += step(end)) {
    expectRefused(REQUEST.subarray(0, end), /ends in the middle|is cut off/);
  }
});

test('a frame that is a view into a bigger buffer is read within its bounds', () => {
  const buffer = new Uint8Array(REQUEST.length + 20).fill(0xc1);
  buffer.set(REQUEST, 10);
  expect(() => checkStructure(buffer.subarray(10, 10 + REQUEST.length))).not.toThrow();
  expectRefused(buffer.subarray(10, 9 + REQUEST.length), /ends in the middle/);
});

describe('a bomb', () => {
  const nestedArrays = (depth: number) => Uint8Array.from([...many(depth, 0x91), NIL]);
  const nestedMaps = (depth: number) =>
    Uint8Array.from([...Array.from({ length: depth }, () => [0x81, 0xa1, 97]).flat(), NIL]);

  test.each([
    ['arrays', nestedArrays],
    ['maps', nestedMaps],
  ])('of nested %s is refused beyond a depth of 16', (_, nested) => {
    expect(() => checkStructure(nested(16))).not.toThrow();
    expectRefused(nested(17), /nested more than 16 deep/);
    expectRefused(nested(100_000), /nested more than 16 deep/);
  });

  test.each([
    ['an array', [0xdd, 255, 255, 255, 255, NIL], /array is cut off/],
    ['a map', [0xdf, 255, 255, 255, 255, 0xa1, 97, NIL], /map is cut off/],
    ['bin', [0xc6, 255, 255, 255, 255, 0], /ends in the middle/],
    ['str', [0xdb, 255, 255, 255, 255, 0], /ends in the middle/],
    ['an array inside the room of its parent', [0x92, 0xdd, 0, 0, 0, 3, NIL, NIL], /array is cut/],
    ['a map with room for half of its entries', [0xde, 0, 2, 0xa0, NIL, NIL], /map is cut off/],
  ])('of %s that claims more than there is, is refused', (_, bytes, message) => {
    expectRefused(Uint8Array.from(bytes), message);
  });

  test('of values is refused beyond 2,097,152', () => {
    const array = (count: number) =>
      Uint8Array.from([0xdd, ...uint(count, 4), ...many(count, NIL)]);
    expect(() => checkStructure(array(2 ** 21 - 1))).not.toThrow();
    expectRefused(array(2 ** 21), /more than 2097152 values/);
  });

  test('of texts that are no UTF-8 costs no more than one of them', () => {
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    const texts = Array.from({ length: 1_000 }, () => [0xa1, 0xff]).flat();
    expect(checkStructure(Uint8Array.from([0xdd, ...uint(1_000, 4), ...texts]))?.at).toBe(6);
    expect(decode).toHaveBeenCalledTimes(1);
    decode.mockRestore();
  });

  const mapOf = (count: number) => {
    const keys = Array.from({ length: count }, (_, i) => [0xa3, 97 + (i >> 12), ...digits(i), NIL]);
    return [0xdf, ...uint(count, 4), ...keys.flat()];
  };
  const digits = (i: number) => [32 + (i & 63), 32 + ((i >> 6) & 63)];

  test('of keys is refused beyond 65536 in all maps together', () => {
    expect(() => checkStructure(Uint8Array.from(mapOf(65_536)))).not.toThrow();
    expectRefused(Uint8Array.from(mapOf(65_537)), /more than 65536 keys/);
    expectRefused(Uint8Array.from([0x92, ...mapOf(40_000), ...mapOf(40_000)]), /65536 keys/);
  });
});

describe('the keys of a map', () => {
  const map = (keys: readonly number[][]) =>
    Uint8Array.from([0xdf, ...uint(keys.length, 4), ...keys.flatMap((key) => [...key, NIL])]);
  const str16 = (text: Uint8Array) => [0xda, ...uint(text.length, 2), ...text];

  test.each([
    ['an integer', [5]],
    ['nil', [NIL]],
    ['bin', [0xc4, 1, 97]],
    ['an array', [0x90]],
    ['a map', [0x80]],
    ['a float', [0xca, 0, 0, 0, 0]],
  ])('are refused where one is %s', (_, key) => {
    expectRefused(map([key]), /key of a map is not a string/);
  });

  test.each([2, 3, 8, 9, 100])('are refused where one of %i is repeated', (count) => {
    const keys = Array.from({ length: count }, (_, i) => [0xa2, 97 + (i % 20), 97 + (i >> 4)]);
    expect(() => checkStructure(map(keys))).not.toThrow();
    for (let repeated = 0; repeated < count - 1; repeated++) {
      const bytes = map([...keys.slice(0, -1), keys[repeated] ?? []]);
      expectRefused(bytes, /key of a map is repeated/);
    }
  });

  test('are refused where one is repeated in another encoding', () => {
    const encodings = [
      [0xa1, 97],
      [0xd9, 1, 97],
      [0xda, 0, 1, 97],
      [0xdb, 0, 0, 0, 1, 97],
    ];
    for (const first of encodings) {
      for (const second of encodings) expectRefused(map([first, second]), /repeated/);
    }
  });

  test('may repeat in another map', () => {
    expect(() => checkStructure(encode({ a: { a: 1 }, b: [{ a: 1 }, { a: 1 }] }))).not.toThrow();
  });

  test.each([2, 9])('may be as long as 65535 bytes and are compared whole, %i of them', (count) => {
    const keys = Array.from({ length: count }, (_, i) => {
      const text = new Uint8Array(65_535).fill(97);
      text[65_534] = 98 + i;
      return str16(text);
    });
    expect(() => checkStructure(map(keys))).not.toThrow();
    expectRefused(map([...keys, keys[0] ?? []]), /repeated/);
  });

  test('are refused where one is longer', () => {
    const key = [0xdb, ...uint(65_536, 4), ...new Uint8Array(65_536).fill(97)];
    expectRefused(map([key]), /a key of more than 65535 bytes/);
  });

  test.each(['a', 'a'.repeat(31), 'a'.repeat(32), 'a'.repeat(255), 'a'.repeat(256), 'ключ', ''])(
    'may be %o',
    (key) => {
      expect(() => checkStructure(encode({ [key]: 1 }))).not.toThrow();
    },
  );

  const PROTO = [...Buffer.from('__proto__')];

  test.each([
    ['fixstr', [0xa9, ...PROTO]],
    ['str 8', [0xd9, 9, ...PROTO]],
    ['str 16', [0xda, 0, 9, ...PROTO]],
    ['str 32', [0xdb, 0, 0, 0, 9, ...PROTO]],
  ])('are refused where one is __proto__ as %s, at any depth', (_, key) => {
    expectRefused(map([key]), /the key __proto__/);
    expectRefused(Uint8Array.from([0x91, 0x81, 0xa1, 97, ...map([key])]), /the key __proto__/);
  });

  test.each(['__proto_', '__proto__x', '__PROTO__', 'constructor'])('may be %s', (key) => {
    expect(() => checkStructure(encode({ [key]: 1 }))).not.toThrow();
  });

  test.each([
    ['a stray byte', [0xa1, 0xff]],
    ['a cut character', [0xa1, 0xc3]],
    ['an overlong character', [0xa2, 0xc1, 0x9f]],
    ['a surrogate', [0xa3, 0xed, 0xa0, 0x80]],
  ])(
    'and other texts are told of where one has %s, since it would be decoded to another',
    (_, text) => {
      expect(checkStructure(map([text]))?.at).toBe(6);
      expect(checkStructure(Uint8Array.from([0x93, 0xa1, 97, ...text, ...text]))?.at).toBe(4);
    },
  );

  test.each([
    [64, undefined],
    [65, /byte order mark/],
    [70_000, /byte order mark/],
  ])(
    'and one of %i bytes with a byte order mark is refused if it may lose it',
    (length, problem) => {
      const wrong = checkStructure(encode(`\ufeff${'x'.repeat(length - 3)}`));
      if (problem) expect(wrong?.problem).toMatch(problem);
      else expect(wrong).toBeUndefined();
      expect(checkStructure(encode(`x\ufeff${'x'.repeat(length)}`))).toBeUndefined();
    },
  );

  test.each([20, 255, 256, 257, 70_000])(
    'and texts of %i bytes are read to their ends',
    (length) => {
      const bytes = encode(`${'x'.repeat(length - 2)}ß`);
      expect(checkStructure(bytes)).toBeUndefined();
      bytes[bytes.length - 1] = 0x20;
      expect(checkStructure(bytes)?.at).toBe(bytes.length - length);
    },
  );
});

test('whatever another encoder writes is accepted, and refused with one byte less or more', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.integer(), fc.double(), fc.string({ unit: 'grapheme' }), fc.boolean()),
      fc.oneof(fc.constant(null), fc.uint8Array()),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 20 },
      ),
    ),
  }));
  fc.assert(
    fc.property(value, (any) => {
      const bytes = encode(any);
      checkStructure(bytes);
      expect(refusal(bytes.subarray(0, -1)).closeCode).toBe(1007);
      expect(refusal(Uint8Array.from([...bytes, NIL])).closeCode).toBe(1007);
    }),
  );
});
