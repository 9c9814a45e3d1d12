import { describe, expect, test } from 'vitest';
import { connectError, refusedUpgrade } from '../../src/client/connect-error.js';
import { WarmswapError } from '../../src/rpc/errors.js';

const coded = (message: string, code: string) => Object.assign(new Error(message), { code });

describe('a connection that was not opened', () => {
  test.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('for %s is not tried again, and names the option', (code) => {
    const error = connectError('wss://a:1/rpc', coded('the reason', code));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', retryable: false });
    expect(error.message).toMatch(/not trusted: the reason; .*'ca' \(--ca\)/);
  });

  test.each([
    ['ws://a:1/rpc', coded('socket hang up', 'ECONNRESET'), 'then the address begins with wss://'],
    ['wss://a:1/rpc', coded('80:SSL routines:wrong version number', 'EPROTO'), 'begins with ws://'],
  ])('to %s with %o has a hint', (url, failure, hint) => {
    const error = connectError(url, failure);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(error.message).toContain(hint);
  });

  test('has no hint where it does not help', () => {
    const hangUp = coded('socket hang up', 'ECONNRESET');
    expect(connectError('wss://a:1/rpc', hangUp).message).toBe('socket hang up');
  });

  test('tells each reason of several addresses', () => {
    const refused = ['::1', '127.0.0.1'].map((host) => coded(`refused by ${host}`, 'ECONNREFUSED'));
    const several = Object.assign(new AggregateError(refused), { code: 'ECONNREFUSED' });
    expect(connectError('ws://localhost:1/rpc', several).message).toBe(
      'refused by ::1, refused by 127.0.0.1',
    );
  });

  test('tells what little there is', () => {
    expect(connectError('ws://a', undefined, 'a text').message).toBe('a text');
    expect(connectError('ws://a', coded('', 'EPIPE')).message).toBe('EPIPE');
    const own = new WarmswapError('UNAUTHENTICATED', 'no');
    expect(connectError('ws://a', own)).toBe(own);
  });
});

test.each([
  [401, 'UNAUTHENTICATED', false],
  [403, 'PERMISSION_DENIED', false],
  [404, 'FAILED_PRECONDITION', false],
  [503, 'UNAVAILABLE', true],
  [302, 'UNAVAILABLE', true],
])('an upgrade answered with %i is %s', (status, code, retryable) => {
  const error = refusedUpgrade(status, 'the reason');
  expect(error).toMatchObject({ code, retryable });
  expect(error.message).toContain(`HTTP ${status}: the reason`);
  expect(refusedUpgrade(status, undefined).message).toMatch(new RegExp(`HTTP ${status}$`));
});

test('an upgrade answered with 404 tells where RPC is', () => {
  expect(refusedUpgrade(404, undefined).message).toMatch(
    /is this the admin port\? RPC is at \/rpc/,
  );
});
