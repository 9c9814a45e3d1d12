import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MOST_DEPTH, MOST_OBJECTS, parseExactJson } from '../../src/rpc/exact-json.js';

const parse = (text: string | Uint8Array) => parseExactJson(Buffer.from(text as string));

/** With prototypes and rounded numbers, as JSON.parse gives it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

test.each([
  ...['null', 'true', 'false', '0', '-0', '1.5', '-1e3', '1E-2', '2e+2', '123456789012345'],
  ...['0.1', '12345678901234567890.5', '1e999', '[]', '{}', '[[],{}]', ' [ 1 , 2 ] ', '""'],
  ...['"a"', '"é"', '"\\u00e9\\n\\"\\\\"', '"\\ud83d\\ude00"', '"\ufeffx"', '{"a":{"b":[1]}}'],
  ...['\n\t{"é" : "ü"}\r', '"\\ud800"', '9007199254740991', '{"":1}'],
])('%s is read as JSON.parse reads it', (text) => {
  expect(plain(parse(text))).toEqual(JSON.parse(text));
});

const bigintsAsNumbers = (_: string, value: unknown) =>
  typeof value === 'bigint' ? Number(value) : value;

test('any JSON document is read as JSON.parse reads it', () => {
  const documents = fc.json({ maxDepth: 5 }).filter((text) => !text.includes('__proto__'));
  fc.assert(
    fc.property(documents, fc.integer({ min: 0, max: 3 }), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
      // Integers that a number cannot hold exactly are bigints.
      const read = plain(parse(spaced));
      expect(JSON.stringify(read, bigintsAsNumbers)).toBe(JSON.stringify(JSON.parse(spaced)));
    }),
  );
});

test('every byte that is changed or missing is an error with a code, or another document', () => {
  const bytes = fc.json().map((text) => Buffer.from(text));
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(255), fc.nat(), (document, at, byte, cut) => {
      const mutated = Buffer.from(document);
      mutated[at % document.length] = byte;
      for (const variant of [mutated, document.subarray(0, cut % document.length)]) {
        try {
          parse(variant);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        }
      }
    }),
  );
});

test.each([
  ['9007199254740993', 9007199254740993n],
  ['-9223372036854775808', -9223372036854775808n],
  ['18446744073709551615', 18446744073709551615n],
  ['1000000000000000', 1000000000000000],
])('the integer %s keeps its digits', (text, value) => expect(parse(text)).toBe(value));

test('an integer too long for any datatype is a float', () => {
  expect(parse('9'.repeat(100_000))).toBe(Infinity);
  expect(parse(`1${'0'.repeat(30)}`)).toBe(1e30);
});

test('negative zero stays one', () => {
  expect(Object.is(parse('-0'), -0)).toBe(true);
});

test('objects have no prototype', () => {
  expect(Object.getPrototypeOf(parse('{"constructor": 1}'))).toBeNull();
});

describe('is refused:', () => {
  test.each([
    ...['', ' ', '{', '[', '[1', '[1,', '[1,]', '[,1]', '{"a"', '{"a":', '{"a":1', '{"a":1,}'],
    ...['{a:1}', "'a'", '"a', '"a\\', '"\\x"', '"\\u12"', '"\n"', '01', '-', '1.', '.5', '+1'],
    ...['1e', 'NaN', 'Infinity', 'nul', 'tru', '1 2', '[1] x', 'undefined', '\ufeff1', '{1:2}'],
    ...['//', '{"a" 1}', '-01', '1.e5', '0x10'],
  ])('%j', (text) => expect(() => parse(text)).toThrow(/not valid JSON: expected/));

  test('a key that is repeated, also when it is escaped', () => {
    expect(() => parse('{"a":1,"\\u0061":2}')).toThrow("the key 'a' once");
  });

  test('__proto__', () => {
    expect(() => parse('{"__proto__": {"x": 1}}')).toThrow('__proto__');
    expect(() => parse('{"\\u005f_proto__": 1}')).toThrow('__proto__');
  });

  test('bytes that are no UTF-8', () => {
    expect(() => parse(Buffer.from([0x22, 0xc3, 0x22]))).toThrow('UTF-8');
  });

  test('a document deeper than allowed, however long', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(() => parse(nested(MOST_DEPTH))).not.toThrow();
    expect(() => parse(nested(MOST_DEPTH + 1))).toThrow(`at most ${MOST_DEPTH} levels`);
    expect(() => parse('{"a":'.repeat(1_000_000))).toThrow('levels');
  });

  test('a document of more objects than allowed', () => {
    expect(() => parse(`[${'[],'.repeat(MOST_OBJECTS)}[]]`)).toThrow(`at most ${MOST_OBJECTS}`);
  });
});
