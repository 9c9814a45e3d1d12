import { expect, test } from 'vitest';
import { LoadTurns } from '../../src/supervisor/load-turns.js';

const grant = (holder: number, request = 1) => ({
  ...{ type: 'grant' as const, holder, request },
  slab: { handle: 'ab', bytes: 1 },
});

test('one loads after the other, in the order in which they came', () => {
  const turns = new LoadTurns();
  expect(turns.add(grant(11))).toEqual(grant(11));
  expect(turns.add(grant(22))).toBeUndefined();
  expect(turns.add(grant(33))).toBeUndefined();
  expect(turns.settle(11, 1)).toEqual(grant(22));
  expect(turns.settle(11, 1)).toBeUndefined();
  expect(turns.settle(22, 2)).toBeUndefined();
  expect(turns.settle(22, 1)).toEqual(grant(33));
  expect(turns.settle(33, 1)).toBeUndefined();
  expect(turns.add(grant(11, 2))).toEqual(grant(11, 2));
});

test('who has gone, or wants nothing any more, is passed over', () => {
  const turns = new LoadTurns();
  for (const holder of [11, 22, 33, 44]) turns.add(grant(holder));
  expect(turns.settle(22, 1)).toBeUndefined();
  expect(turns.onHolderGone(33)).toBeUndefined();
  expect(turns.onHolderGone(11)).toEqual(grant(44));
});

test('nobody waits for what is lost', () => {
  const turns = new LoadTurns();
  for (const holder of [11, 22]) turns.add(grant(holder));
  turns.clear();
  expect(turns.settle(11, 1)).toBeUndefined();
  expect(turns.add(grant(33))).toEqual(grant(33));
});
