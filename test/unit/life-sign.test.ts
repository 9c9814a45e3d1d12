import { expect, test } from 'vitest';
import { LifeSign } from '../../src/worker/life-sign.js';

test('a sign of life is told at most twice a second', () => {
  let now = 0;
  const told: number[] = [];
  const sign = new LifeSign(
    () => told.push(now),
    () => now,
  );
  for (; now < 1600; now += 100) sign.give();
  expect(told).toEqual([500, 1000, 1500]);
});
