import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { digest, sha256 } from './digest.js';

/** The tokens that callers bring. Of each, only the SHA-256 is kept. */

export const SCOPES = ['infer', 'admin'] as const;

const MOST_TOKENS = 1000;
const BEARER = /^(?=.{16,256}$)[A-Za-z0-9._~+/-]+=*$/;
const bearerText = 'expected 16 to 256 characters of A-Z a-z 0-9 . _ ~ + / -, then any =';

/** `admin.token`; the result is its SHA-256. */
export const adminToken = z
  .string()
  .regex(/^\S{16,256}$/, 'expected 16 to 256 characters without spaces')
  .transform(sha256);

const entry = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.@/-][\w .@/-]{0,63}$/, 'expected 1 to 64 letters, digits, spaces and _ . @ / -')
    .optional(),
  token: z.string().regex(BEARER, bearerText).optional(),
  tokenFile: z.string().min(1).optional(),
  sha256: digest.optional(),
  scopes: z.array(z.enum(SCOPES)).min(1).default(['infer']),
  /** Left out: every model. */
  models: z.array(z.string().min(1)).min(1).optional(),
});

type Entry = z.output<typeof entry>;
type Problem = (path: readonly (string | number)[], message: string) => void;

export type TokenConfig = z.output<typeof tokenList>[number];

export const tokenList = z
  .array(z.preprocess((value) => (typeof value === 'string' ? { token: value } : value), entry))
  .max(MOST_TOKENS)
  .default([])
  .transform((entries, context) => {
    const problem: Problem = (path, message) =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const tokens = entries.map((each, index) => toToken(each, index, problem));
    refuseDoubles(tokens, problem);
    return tokens;
  });

function toToken(given: Entry, index: number, problem: Problem) {
  const { name = `token ${index + 1}`, scopes, models } = given;
  const restriction = models && { models: [...new Set(models)] };
  return {
    name,
    sha256: hashOf(given, index, problem),
    scopes: [...new Set(scopes)],
    ...restriction,
  };
}

function hashOf(
  { token, tokenFile, sha256: hash }: Entry,
  index: number,
  problem: Problem,
): string {
  if ([token, tokenFile, hash].filter((each) => each !== undefined).length !== 1) {
    problem([index], 'expected one of token, tokenFile and sha256');
    return '';
  }
  if (hash !== undefined) return hash;
  const text = token ?? readToken(tokenFile ?? '', [index, 'tokenFile'], problem);
  return text === undefined ? '' : sha256(text);
}

/** Nothing of what the file holds is told. */
function readToken(file: string, path: readonly (string | number)[], problem: Problem) {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (BEARER.test(text)) return text;
    problem(path, `${file}: ${bearerText}`);
  } catch (error) {
    problem(path, `cannot be read: ${(error as Error).message}`);
  }
  return undefined;
}

function refuseDoubles(tokens: readonly { name: string; sha256: string }[], problem: Problem) {
  for (const [index, { name, sha256: hash }] of tokens.entries()) {
    const before = tokens.slice(0, index);
    if (before.some((other) => other.name === name)) {
      problem([index, 'name'], `another token has the name '${name}' already`);
    }
    const same = hash !== '' && before.find((other) => other.sha256 === hash);
    if (same) problem([index], `the same token as '${same.name}'`);
  }
}
