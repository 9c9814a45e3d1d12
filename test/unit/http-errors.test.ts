import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/rpc/codes.js';
import { WarmswapError } from '../../src/rpc/errors.js';
import { errorReply, HttpError, STATUS_LINES } from '../../src/server/http/http-error.js';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test.each(CODES)('%s has one status over HTTP', (code) => {
  const { status, body } = errorReply(new WarmswapError(code, 'why'));
  expect(status).toBe(ERROR_CODES[code].httpStatus);
  expect(STATUS_LINES[status]).toMatch(new RegExp(`^${status} `));
  expect(JSON.parse(body as string)).toEqual({ error: 'why' });
});

test('the README names the same statuses', () => {
  const [, section = ''] = /\*\*Errors\*\* are `\{"error"([^]*?)\n\n/.exec(readme) ?? [];
  const named = [...section.matchAll(/(\d{3}) ((?:`[A-Z_]+`(?:,\s+|\s+and\s+)?)+)/g)].flatMap(
    ([, status, codes = '']) =>
      [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code, Number(status)] as const),
  );
  const expected = CODES.map((code) => [code, ERROR_CODES[code].httpStatus]);
  expect(named.sort()).toEqual(expected.sort());
});

test('what HTTP itself refuses has a status and headers of its own', () => {
  const refused = new HttpError(405, 'no', [['Allow', 'GET']]);
  expect(errorReply(refused)).toMatchObject({ status: 405, headers: [['Allow', 'GET']] });
});

test('an error without a code is the server’s', () => {
  expect(errorReply(new RangeError('bug')).status).toBe(500);
  expect(errorReply('bug').status).toBe(500);
});
