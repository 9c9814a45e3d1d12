import { expect, test } from 'vitest';
import { CallsInFlight } from '../../src/server/calls-in-flight.js';

const call = (name: string) => ({ name, place: 0 });

const namesOf = (calls: CallsInFlight<ReturnType<typeof call>>) =>
  calls
    .snapshot()
    .map(({ name }) => name)
    .sort();

test('what is added is there until it is deleted, in whatever order', () => {
  const calls = new CallsInFlight<ReturnType<typeof call>>();
  const [a, b, c, d] = [call('a'), call('b'), call('c'), call('d')];
  for (const added of [a, b, c, d]) calls.add(added);
  calls.delete(b);
  expect(namesOf(calls)).toEqual(['a', 'c', 'd']);
  calls.delete(d);
  calls.delete(a);
  expect([namesOf(calls), calls.size]).toEqual([['c'], 1]);
  calls.delete(c);
  expect(calls.size).toBe(0);
});

test('deleting twice, or what was never there, takes nothing else away', () => {
  const calls = new CallsInFlight<ReturnType<typeof call>>();
  const [a, b] = [call('a'), call('b')];
  calls.add(a);
  calls.add(b);
  calls.delete(a);
  calls.delete(a);
  calls.delete(call('c'));
  expect(namesOf(calls)).toEqual(['b']);
});

test('a snapshot stays as it is', () => {
  const calls = new CallsInFlight<ReturnType<typeof call>>();
  const [a, b] = [call('a'), call('b')];
  calls.add(a);
  calls.add(b);
  const seen = calls.snapshot().map((one) => {
    calls.delete(one);
    return one.name;
  });
  expect([seen, calls.size]).toEqual([['a', 'b'], 0]);
});
