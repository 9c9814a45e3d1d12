import { expect, test } from 'vitest';
import { VersionOrder } from '../../src/server/version-order.js';

const OLD = {};
const NEW = {};

function setUp() {
  const sent: string[] = [];
  const order = new VersionOrder(
    (frame) => void sent.push(Buffer.from(frame as Uint8Array).toString()),
  );
  return { order, sent, send: (name: string) => Buffer.from(name) };
}

test('answers of one version go as they come', () => {
  const { order, sent, send } = setUp();
  const first = order.begin('m', OLD);
  const second = order.begin('m', OLD);
  order.end(second, send('second'));
  expect(sent).toEqual(['second']);
  order.end(first, send('first'));
  expect(sent).toEqual(['second', 'first']);
});

test("the new version's answers wait for the last one of the old", () => {
  const { order, sent, send } = setUp();
  const [old1, old2] = [order.begin('m', OLD), order.begin('m', OLD)];
  const [new1, new2] = [order.begin('m', NEW), order.begin('m', NEW)];
  order.end(new1, send('new 1'));
  order.end(old1, send('old 1'));
  expect(sent).toEqual(['old 1']);
  order.end(old2, send('old 2'));
  expect(sent).toEqual(['old 1', 'old 2', 'new 1']);
  order.end(new2, send('new 2'));
  expect(sent.at(-1)).toBe('new 2');
});

test('a version that comes back after a rollback takes its place at the end', () => {
  const { order, sent, send } = setUp();
  const turns = [OLD, NEW, OLD].map((version) => order.begin('m', version));
  const [before, between, after] = turns;
  if (!before || !between || !after) throw new Error('three turns');
  order.end(after, send('after'));
  order.end(between, send('between'));
  expect(sent).toEqual([]);
  order.end(before, send('before'));
  expect(sent).toEqual(['before', 'between', 'after']);
});

test('a lent answer that must wait survives its page', () => {
  const { order, sent } = setUp();
  const [old, next] = [order.begin('m', OLD), order.begin('m', NEW)];
  const page = Buffer.from('answer');
  order.end(next, page, true);
  page.fill('x');
  order.end(old, Buffer.from('first'));
  expect(sent).toEqual(['first', 'answer']);
});

test('targets that nobody asks for any more are forgotten', () => {
  const { order, sent, send } = setUp();
  const waiting = order.begin('waiting', OLD);
  for (let i = 0; i < 1000; i++) order.end(order.begin(`m${i}`, OLD), send(`${i}`));
  order.end(waiting, send('last'));
  expect([sent.length, sent.at(-1)]).toEqual([1001, 'last']);
});

test('targets do not wait for each other', () => {
  const { order, sent, send } = setUp();
  order.begin('a', OLD);
  order.end(order.begin('b', NEW), send('b'));
  expect(sent).toEqual(['b']);
});

test('any interleaving sends every answer once and never goes back', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { order, sent, send } = setUp();
    let state = seed;
    const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
    const open: { turn: ReturnType<VersionOrder['begin']>; name: string }[] = [];
    const versions = Array.from({ length: 4 }, () => ({}));
    let current = 0;
    for (let i = 0; i < 60; i++) {
      if (random(8) === 0) current = Math.min(current + 1, 3);
      const turn = order.begin('m', versions[current] as object);
      open.push({ turn, name: `${current}:${i}` });
      if (random(2) === 0) finish(random(open.length));
    }
    while (open.length > 0) finish(random(open.length));
    expect(new Set(sent).size).toBe(60);
    const answered = sent.map((name) => Number(name.split(':')[0]));
    expect(answered).toEqual([...answered].sort((a, b) => a - b));

    function finish(index: number): void {
      const [done] = open.splice(index, 1);
      if (done) order.end(done.turn, send(done.name));
    }
  }
});
