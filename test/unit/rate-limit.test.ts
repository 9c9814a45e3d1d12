import { describe, expect, test } from 'vitest';
import type { WarmswapError } from '../../src/rpc/errors.js';
import { Grant, OPEN } from '../../src/access/grant.js';
import { clientOf } from '../../src/server/client-name.js';
import { rateOf, RateLimit, TokenBucket } from '../../src/server/rate-limit.js';

const RATE = { perSecond: 2, burst: 3 };

describe('a bucket', () => {
  test('lets a burst through, then as many as the rate, and tells how long to wait', () => {
    const bucket = new TokenBucket(RATE, 0);
    expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 0, 500]);
    expect([bucket.take(400), bucket.take(500), bucket.take(500)]).toEqual([100, 0, 500]);
    expect(bucket.take(1_000)).toBe(0);
  });

  test('never holds more than a burst, and nothing new if the clock goes back', () => {
    const bucket = new TokenBucket(RATE, 0);
    expect([1e9, 1e9, 1e9, 1e9].map((now) => bucket.take(now))).toEqual([0, 0, 0, 500]);
    expect(bucket.take(0)).toBe(500);
  });

  test('tells whether there is a token without taking it', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0);
    expect([bucket.has(0), bucket.has(0), bucket.take(0), bucket.has(999)]).toEqual([
      ...[true, true, 0, false],
    ]);
    expect(bucket.has(1_000)).toBe(true);
  });
});

describe('a limit', () => {
  let now = 0;
  const limited = (maxBuckets?: number) => {
    now = 0;
    const refused: number[] = [];
    const onRefused = () => void refused.push(now);
    return { limit: new RateLimit(RATE, onRefused, () => now, maxBuckets), refused };
  };
  const spend = (limit: RateLimit, client: string) => {
    for (let i = 0; i < RATE.burst; i++) limit.admit(client);
  };

  test('holds for each client, over all of its connections and requests', () => {
    const { limit, refused } = limited();
    const [one, two] = [limit.hold('a'), limit.hold('a')];
    one.admit();
    two.admit();
    limit.admit('a');
    expect([one.hasRoom(), two.hasRoom()]).toEqual([false, false]);
    expect(() => limit.admit('a')).toThrow('2 requests a second of this client, 3 at once');
    spend(limit, 'b');
    expect(refused).toHaveLength(1);
  });

  test('says when to try again', () => {
    const { limit } = limited();
    spend(limit, 'a');
    let error: WarmswapError | undefined;
    try {
      limit.admit('a');
    } catch (thrown) {
      error = thrown as WarmswapError;
    }
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: 500 } });
  });

  test('forgets clients that may send a whole burst again, not those with a connection', () => {
    const { limit } = limited(2);
    const held = limit.hold('held');
    limit.admit('a');
    now = 10_000;
    limit.admit('b');
    expect(limit.size).toBe(2);
    spend(limit, 'held');
    expect(held.hasRoom()).toBe(false);
    held.release();
    now = 20_000;
    limit.admit('c');
    expect(limit.size).toBe(1);
  });

  test('lets all clients beyond its number share one bucket', () => {
    const { limit } = limited(1);
    limit.admit('a');
    limit.admit('b');
    limit.hold('c').admit();
    limit.admit('d');
    expect(() => limit.admit('e')).toThrow('requests a second');
    limit.admit('a');
    expect(limit.size).toBe(1);
  });

  test('allows what a second brings at once, where no burst is given', () => {
    expect(rateOf({ perSecond: 2.5 })).toEqual({ perSecond: 2.5, burst: 3 });
    expect(rateOf({ perSecond: 0.1 })).toEqual({ perSecond: 0.1, burst: 1 });
    expect(rateOf({ perSecond: 5, burst: 50 })).toEqual({ perSecond: 5, burst: 50 });
  });
});

describe('a client', () => {
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex')).buffer;

  test('is a token, wherever it comes from', () => {
    const one = new Grant({ name: 'a', sha256: '01', scopes: ['infer'] });
    const other = new Grant({ name: 'a', sha256: '02', scopes: ['infer'] });
    expect(clientOf(one, bytes('0a000001'))).toBe(clientOf(one, bytes('0a000002')));
    expect(clientOf(other, bytes('0a000001'))).not.toBe(clientOf(one, bytes('0a000001')));
  });

  test('is an address of IPv4, however it is written', () => {
    expect(clientOf(OPEN, bytes('0a000001'))).toBe('0a000001');
    expect(clientOf(OPEN, bytes('00000000000000000000ffff0a000001'))).toBe('0a000001');
  });

  test('is a network of IPv6', () => {
    const one = clientOf(OPEN, bytes('20010db8000000010000000000000001'));
    expect(clientOf(OPEN, bytes('20010db800000001ffffffffffffffff'))).toBe(one);
    expect(clientOf(OPEN, bytes('20010db8000000020000000000000001'))).not.toBe(one);
  });
});
