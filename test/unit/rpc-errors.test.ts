import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, isErrorCode, type ErrorCode } from '../../src/rpc/codes.js';
import {
  fromWireError,
  toWarmswapError,
  toWireError,
  WarmswapError,
} from '../../src/rpc/errors.js';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

test('the codes are those of the contract, and of them two are retryable', () => {
  expect(CODES.sort()).toEqual([
    'CANCELLED',
    'DEADLINE_EXCEEDED',
    'FAILED_PRECONDITION',
    'INTERNAL',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'PERMISSION_DENIED',
    'RESOURCE_EXHAUSTED',
    'UNAUTHENTICATED',
    'UNAVAILABLE',
    'UNIMPLEMENTED',
  ]);
  const retryable = CODES.filter((code) => ERROR_CODES[code].retryable);
  expect(retryable).toEqual(['RESOURCE_EXHAUSTED', 'UNAVAILABLE']);
});

test('the README has the same codes, and says of each whether it is retryable', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, table = ''] =
    /^\| code +\| when +\| retryable \|\n\|[-| ]+\|\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` +\|.*\S.*\| (yes|no) +\|$/gm)];
  expect(rows.length).toBe(table.split('\n').length - 1);
  const named = rows.map(([, code, retryable]) => [code, retryable === 'yes'] as const);
  const expected = CODES.map((code) => [code, ERROR_CODES[code].retryable]);
  expect(named.sort()).toEqual(expected.sort());
});

test.each(['not_found', '', 'toString', 'constructor', '__proto__', 5, null, undefined, {}])(
  '%o is no code',
  (value) => expect(isErrorCode(value)).toBe(false),
);

describe.each(CODES)('an error with %s', (code) => {
  test('is a code', () => {
    expect(isErrorCode(code)).toBe(true);
  });

  test('comes out of the wire as it went in', () => {
    const error = new WarmswapError(code, 'why', { details: { a: 1 } });
    const back = fromWireError(toWireError(error));
    expect(back).toBeInstanceOf(WarmswapError);
    expect(back).toMatchObject({
      code,
      message: 'why',
      retryable: ERROR_CODES[code].retryable,
      details: { a: 1 },
    });
  });

  test('may say otherwise whether it is retryable', () => {
    const retryable = !ERROR_CODES[code].retryable;
    expect(fromWireError(toWireError(new WarmswapError(code, 'why', { retryable })))).toMatchObject(
      { code, retryable },
    );
  });
});

describe('an error that is not ours', () => {
  test('keeps a code of the contract, its message and its cause', () => {
    const error = Object.assign(new Error('full'), { code: 'RESOURCE_EXHAUSTED' });
    const ours = toWarmswapError(error);
    expect(ours).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: 'full', retryable: true });
    expect(ours.cause).toBe(error);
  });

  test.each([
    ['no code', new Error('bug'), 'bug'],
    ['a code of the system', Object.assign(new Error('gone'), { code: 'ENOENT' }), 'gone'],
    ['the name of a method as its code', Object.assign(new Error('x'), { code: 'toString' }), 'x'],
    ['thrown text', 'text', 'text'],
    ['thrown nothing', undefined, 'undefined'],
  ])('and has %s is INTERNAL', (_, error, message) => {
    expect(toWireError(error)).toEqual({ code: 'INTERNAL', message, retryable: false });
  });

  test('is not wrapped again', () => {
    const error = new WarmswapError('NOT_FOUND', 'x');
    expect(toWarmswapError(error)).toBe(error);
  });
});

describe('an error of another server', () => {
  test.each([
    ['text', 'no such method', 'no such method'],
    ['a number', 5, '5'],
    ['a map without message', { reason: 'x' }, '{"reason":"x"}'],
    ['a map with a 64-bit integer', { id: 2n ** 60n }, '{"id":"1152921504606846976"}'],
    ['a list', ['x', 1], '["x",1]'],
    ['a message that is no text', { message: 7 }, '{"message":7}'],
  ])('that is %s is INTERNAL and keeps what it says', (_, wire, message) => {
    expect(fromWireError(wire)).toMatchObject({ code: 'INTERNAL', message, retryable: false });
  });

  test('with a code that is not known keeps its message', () => {
    expect(fromWireError({ code: 'OUT_OF_RANGE', message: 'x', retryable: true })).toMatchObject({
      code: 'INTERNAL',
      message: 'x',
      retryable: true,
    });
  });
});

test('half a surrogate pair in a message, which has no UTF-8, is replaced', () => {
  expect(toWireError(new WarmswapError('NOT_FOUND', 'no \u{1f600} \ud83d'))).toMatchObject({
    message: 'no \u{1f600} \ufffd',
  });
});

test('details are on the wire only where there are some', () => {
  expect(toWireError(new WarmswapError('CANCELLED', 'x'))).not.toHaveProperty('details');
  expect(toWireError(new WarmswapError('CANCELLED', 'x', { details: null }))).toMatchObject({
    details: null,
  });
});
