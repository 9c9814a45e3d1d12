import { decode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { packInPieces } from '../../src/rpc/pack-in-pieces.js';

const MEBIBYTE = 2 ** 20;
const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true });

function pack(value: unknown): Uint8Array[] {
  const packed = packInPieces(packr, value);
  return packed instanceof Uint8Array ? [packed] : packed;
}

const unpack = (pieces: readonly Uint8Array[]) => decode(new Uint8Array(Buffer.concat(pieces)));
/** Compares what is too much for `toEqual`. */
const isSame = (a: unknown, b: unknown) => packr.pack(a).equals(packr.pack(b));
const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value);

test('what is small is packed as one', () => {
  const value = { a: [1, 'two', null], data: bytes(1000) };
  const packed = packInPieces(packr, value);
  expect(packed).toBeInstanceOf(Uint8Array);
  expect(decode(new Uint8Array(packed as Uint8Array))).toEqual(value);
});

test('big binary values are pieces as they are, what stands around them is packed beside', () => {
  const [one, two] = [bytes(MEBIBYTE, 1), bytes(65_536, 2)];
  const value = [1, 5, null, { outputs: { y: { data: one, shape: [3] }, z: two }, version: 3 }];
  const pieces = pack(value);
  expect(pieces.map(({ length }) => length > 60_000)).toEqual([false, true, false, true, false]);
  expect(pieces[1]).toBe(one);
  expect(pieces[3]).toBe(two);
  expect(isSame(unpack(pieces), value)).toBe(true);
});

describe('long arrays', () => {
  test.each([
    ['many small elements', Array.from({ length: 300_000 }, (_, i) => bytes(i % 5))],
    ['few big elements', Array.from({ length: 15 }, (_, i) => bytes(MEBIBYTE + i))],
    [
      'both, in turn',
      Array.from({ length: 70_000 }, (_, i) => bytes(i % 10_000 === 0 ? 2 ** 18 : 3)),
    ],
    [
      'texts and numbers',
      Array.from({ length: 70_000 }, (_, i) => (i % 2 ? i : 'text'.repeat(20))),
    ],
  ])('of %s leave in pieces of which none is far longer than its elements', (_, elements) => {
    const value = { data: elements, more: 'x' };
    const pieces = pack(value);
    expect(pieces.length).toBeGreaterThan(3);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(2 * MEBIBYTE);
    expect(isSame(unpack(pieces), value)).toBe(true);
  });
});

test('whatever is packed with big values around it comes out as it went in', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.integer(), fc.double(), fc.string({ unit: 'grapheme' }), fc.boolean()),
      fc.oneof(fc.constant(null), fc.uint8Array()),
      fc.array(tie('value'), { maxLength: 40 }),
      fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 40 },
      ),
    ),
  }));
  const big = bytes(MEBIBYTE);
  fc.assert(
    fc.property(value, (any) => {
      const value = [any, { big, any }, any];
      const pieces = pack(value);
      expect(pieces.includes(big)).toBe(true);
      expect(isSame(unpack(pieces), value)).toBe(true);
    }),
  );
});
