import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Grant, OPEN, type TokenSettings } from '../../src/access/grant.js';
import { TokenSet } from '../../src/access/token-set.js';
import {
  bearerProtocols,
  readProtocols,
  tokenOfHeader,
  insteadOfToken,
} from '../../src/rpc/bearer.js';
import { WarmswapError } from '../../src/rpc/errors.js';
import type { DaemonEvent } from '../../src/rpc/events.js';
import { eventFor } from '../../src/server/visible.js';

function token(name: string, fields: Partial<TokenSettings> = {}): TokenSettings {
  const sha256 = createHash('sha256').update(`secret of ${name}`).digest('hex');
  return { name, sha256, scopes: ['infer'], ...fields };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WarmswapError) return error.code;
  }
  return 'OK';
}

describe('a set of tokens', () => {
  const tokens = new TokenSet([token('a'), token('b', { scopes: ['admin'] }), token('c')]);

  test('admits each one to its scopes, and nobody else', () => {
    expect(tokens.admit('infer', 'secret of a').token?.name).toBe('a');
    expect(tokens.admit('infer', 'secret of c').token?.name).toBe('c');
    expect(tokens.admit('admin', 'secret of b').token?.name).toBe('b');
    expect(codeOf(() => tokens.admit('infer', 'secret of b'))).toBe('PERMISSION_DENIED');
    expect(codeOf(() => tokens.admit('admin', 'secret of a'))).toBe('PERMISSION_DENIED');
    for (const wrong of [undefined, '', 'secret of d', 'secret of a ', 'Secret of a']) {
      expect(codeOf(() => tokens.admit('infer', wrong))).toBe('UNAUTHENTICATED');
    }
  });

  test('asks for none of a scope that no token has', () => {
    const inferOnly = new TokenSet([token('a')]);
    expect(inferOnly.asksFor('admin')).toBe(false);
    expect(inferOnly.admit('admin', undefined)).toBe(OPEN);
    expect(new TokenSet([]).admit('infer', 'whatever')).toBe(OPEN);
  });

  test('readmits who is still in it, with what he may use now', () => {
    const grant = tokens.admit('infer', 'secret of a');
    const restricted = new TokenSet([token('renamed', { ...token('a'), models: ['m'] })]);
    expect(restricted.readmit('infer', grant)?.isRestricted).toBe(true);
    expect(new TokenSet([token('c')]).readmit('infer', grant)).toBeUndefined();
    expect(
      new TokenSet([token('a', { scopes: ['admin'] }), token('c')]).readmit('infer', grant),
    ).toBe(undefined);
    expect(tokens.readmit('infer', OPEN)).toBeUndefined();
    expect(new TokenSet([]).readmit('infer', grant)).toBe(OPEN);
  });
});

describe('a grant with models', () => {
  const grant = new Grant(token('a', { models: ['one', 'two'] }));

  test('allows these alone', () => {
    expect([grant.allows('one'), grant.allows('three')]).toEqual([true, false]);
    expect([OPEN.allows('three'), OPEN.isRestricted]).toEqual([true, false]);
    expect(
      codeOf(() => {
        grant.require('three');
      }),
    ).toBe('PERMISSION_DENIED');
    expect(
      codeOf(() => {
        grant.require('one');
      }),
    ).toBe('OK');
  });

  test('shows no events of others, nor their names in a reason', () => {
    const model = (name: string): DaemonEvent => ({
      ...{ type: 'model', state: 'active', model: name, version: 1, generation: 2 },
    });
    const aborted: DaemonEvent = {
      ...{ type: 'swap', state: 'aborted', generation: 2, reason: 'three/1: broken' },
    };
    expect(eventFor(grant, model('one'))).toEqual(model('one'));
    expect(eventFor(grant, model('three'))).toBeUndefined();
    expect(eventFor(grant, aborted)).toEqual({ type: 'swap', state: 'aborted', generation: 2 });
    expect(eventFor(OPEN, aborted)).toBe(aborted);
  });
});

describe('a token travels', () => {
  test('in the header Authorization', () => {
    expect(tokenOfHeader('Bearer abc')).toBe('abc');
    expect(tokenOfHeader('bearer  abc ')).toBe('abc');
    for (const other of ['', 'abc', 'Basic abc', 'Bearer', 'Bearer a b']) {
      expect(tokenOfHeader(other)).toBeUndefined();
    }
  });

  test('or there is something else in it, which is told', () => {
    const cases = [
      ['', 'none'],
      ['Basic abc', 'another scheme'],
      ['abc', 'another scheme'],
      ['Bearer', 'one that is no token'],
      ['Bearer a b', 'one that is no token'],
    ] as const;
    for (const [header, instead] of cases) expect(insteadOfToken(header)).toBe(instead);
  });

  test('in the first subprotocol, which is never the answer', () => {
    const offered = bearerProtocols('a/b+c==');
    for (const protocol of offered) expect(protocol).toMatch(/^[\w!#$%&'*+.^`|~-]+$/);
    expect(readProtocols(offered.join(', '))).toEqual({ token: 'a/b+c==', chosen: 'warmswap' });
    expect(readProtocols('warmswap.bearer.a%')).toEqual({ token: 'a%', chosen: undefined });
    expect(readProtocols('x, warmswap.bearer.a')).toEqual({ token: undefined, chosen: 'x' });
    expect(readProtocols('')).toEqual({ token: undefined, chosen: undefined });
  });
});
