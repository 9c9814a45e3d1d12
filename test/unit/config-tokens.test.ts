import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'warmswap-tokens-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const FILE = join(folder, 'warmswap.yaml');
const SECRET = 'a-secret-of-the-tests';
const OTHER = 'another/secret+text==';

function load(tokens: string, rest = '', environment: Record<string, string> = {}) {
  writeFileSync(FILE, `auth: { tokens: ${tokens} }\n${rest}`);
  return loadConfig({ file: FILE, flags: {}, environment });
}

function refusal(tokens: string, rest = ''): string {
  try {
    load(tokens, rest);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

test('of every form of a token, the hash is kept and nothing else', () => {
  writeFileSync(join(folder, 'token'), `${OTHER}\n`);
  const sha256 = hash('whatever').toUpperCase();
  const { auth } = load(
    `[ '\${TOKEN}', { name: app, tokenFile: token, scopes: [infer, admin, infer], models: [a, b, a] },
       { name: ci, sha256: ${sha256}, scopes: [admin] } ]`,
    '',
    { TOKEN: SECRET },
  );
  expect(auth.tokens).toEqual([
    { name: 'token 1', sha256: hash(SECRET), scopes: ['infer'] },
    { name: 'app', sha256: hash(OTHER), scopes: ['infer', 'admin'], models: ['a', 'b'] },
    { name: 'ci', sha256: hash('whatever'), scopes: ['admin'] },
  ]);
  const { admin } = load('[]', `admin: { token: ${SECRET} }`);
  expect(admin.token).toBe(hash(SECRET));
});

test.each([
  ['[short]', 'auth.tokens.0.token: expected 16 to 256 characters'],
  ["['a secret with blanks']", 'auth.tokens.0.token: expected 16 to 256 characters'],
  ['[{ name: a }]', 'auth.tokens.0: expected one of token, tokenFile and sha256'],
  [`[{ token: ${SECRET}, sha256: ${hash('x')} }]`, 'auth.tokens.0: expected one of token, tokenFi'],
  ['[{ sha256: abc }]', 'auth.tokens.0.sha256: expected a SHA-256 as 64 hexadecimal digits'],
  ['[{ tokenFile: missing }]', 'auth.tokens.0.tokenFile: cannot be read: ENOENT'],
  [`[{ token: ${SECRET}, scopes: [] }]`, 'auth.tokens.0.scopes: Too small'],
  [`[{ token: ${SECRET}, scopes: [all] }]`, 'auth.tokens.0.scopes.0: Invalid option'],
  [`[{ token: ${SECRET}, models: [] }]`, 'auth.tokens.0.models: Too small'],
  [`[{ token: ${SECRET}, model: [a] }]`, 'unknown key auth.tokens.0.model (did you mean models?)'],
  [`[{ token: ${SECRET} }, ${SECRET}]`, "auth.tokens.1: the same token as 'token 1'"],
  [
    `[{ name: a, token: ${SECRET} }, { name: a, token: ${OTHER} }]`,
    "auth.tokens.1.name: another token has the name 'a' already",
  ],
])('%s is refused with its path, and without the secret', (tokens, problem) => {
  const message = refusal(tokens);
  expect(message).toContain(`${FILE}: ${problem}`);
  expect(message).not.toContain(SECRET);
});

test('a file that holds no token is refused without what it holds', () => {
  writeFileSync(join(folder, 'wrong'), 'not a token');
  const message = refusal('[{ tokenFile: wrong }]');
  expect(message).toContain('auth.tokens.0.tokenFile');
  expect(message).not.toContain('not a token');
});

test('a token of its scope opens an address that other machines reach', () => {
  const anywhere = 'listen: { host: 0.0.0.0 }';
  expect(refusal('[]', anywhere)).toContain('set auth.tokens, or auth.insecure: true');
  expect(refusal(`[{ token: ${SECRET}, scopes: [admin] }]`, anywhere)).toContain('listen.host');
  expect(load(`[${SECRET}]`, anywhere).listen.host).toBe('0.0.0.0');
  const admin = 'admin: { host: 0.0.0.0 }';
  expect(refusal(`[${SECRET}]`, admin)).toContain('admin.host');
  expect(load(`[{ token: ${SECRET}, scopes: [admin] }]`, admin).admin.host).toBe('0.0.0.0');
});
