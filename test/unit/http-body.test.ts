import { expect, test } from 'vitest';
import { Body, BodyBudget } from '../../src/server/http/body.js';

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test('a body in one chunk is not copied', () => {
  const budget = new BodyBudget(0);
  const chunk = Buffer.from('whole');
  expect(new Body(100, budget).push(chunk, true)).toBe(chunk);
});

test('a body in chunks of any size comes out whole', () => {
  const all = 'x'.repeat(5_000) + 'end';
  for (const size of [1, 7, 4096, 5_000]) {
    const budget = new BodyBudget(10_000);
    const body = new Body(5_003, budget);
    let whole: Uint8Array | undefined;
    for (let at = 0; at < all.length; at += size) {
      const chunk = Buffer.from(all.slice(at, at + size));
      whole = body.push(chunk, at + size >= all.length);
      chunk.fill(0);
    }
    if (size < 5_003) expect(text(whole)).toBe(all);
    body.release();
    expect(budget.taken).toBe(0);
  }
});

test('chunks are copied, and one that is empty may be the last', () => {
  const body = new Body(10, new BodyBudget(10));
  const chunk = Buffer.from('abc');
  expect(body.push(chunk, false)).toBeUndefined();
  chunk.fill(0);
  expect(text(body.push(Buffer.alloc(0), true))).toBe('abc');
});

test('a body over the limit is refused at the byte that is too much', () => {
  const body = new Body(4, new BodyBudget(100));
  expect(body.push(Buffer.from('1234'), false)).toBeUndefined();
  expect(() => body.push(Buffer.from('5'), false)).toThrow(
    expect.objectContaining({ status: 413, message: expect.stringContaining('4') as string }),
  );
});

test('all bodies together stay within their budget, and give it back', () => {
  const budget = new BodyBudget(6_000);
  const first = new Body(5_000, budget);
  const second = new Body(5_000, budget);
  first.push(Buffer.alloc(4_000), false);
  expect(() => second.push(Buffer.alloc(10), false)).toThrow(
    expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }),
  );
  first.release();
  first.release();
  expect(second.push(Buffer.alloc(10), false)).toBeUndefined();
  expect(budget.taken).toBe(4_096);
});
