import { expect, test } from 'vitest';
import { Heartbeats } from '../../src/supervisor/heartbeats.js';

function watch(...workers: number[]) {
  const asked: number[] = [];
  const hung: number[] = [];
  const heartbeats = new Heartbeats({
    intervalMs: 1_000,
    timeoutMs: 3_000,
    workers: () => workers,
    ask: (worker) => asked.push(worker),
    onHung: (worker) => hung.push(worker),
  });
  const tick = (times: number) => {
    for (let i = 0; i < times; i++) heartbeats.tick();
  };
  return { heartbeats, workers, asked, hung, tick };
}

test('a worker that does not answer in time is hung, once', () => {
  const { hung, tick } = watch(0, 1);
  tick(3);
  expect(hung).toEqual([]);
  tick(1);
  expect(hung).toEqual([0, 1]);
  tick(3);
  expect(hung).toEqual([0, 1]);
});

test('an answer resets the time, and is asked for again', () => {
  const { heartbeats, asked, hung, tick } = watch(0);
  for (let i = 0; i < 10; i++) {
    tick(3);
    heartbeats.reset(0);
  }
  expect(hung).toEqual([]);
  expect(asked).toEqual(Array.from({ length: 10 }, () => 0));
});

test('a worker that has not answered is not asked again', () => {
  const { asked, tick } = watch(0);
  tick(3);
  expect(asked).toEqual([0]);
});

test('a worker that need not answer any more is forgotten', () => {
  const { workers, hung, tick } = watch(0, 1);
  tick(3);
  workers.pop();
  tick(1);
  workers.push(1);
  tick(3);
  expect(hung).toEqual([0]);
});
