import { expect, test } from 'vitest';
import { TurnQueue } from '../../src/supervisor/turn-queue.js';

test('work begins when the work before it has ended, even if that failed', async () => {
  const turns = new TurnQueue();
  const happened: string[] = [];
  let endFirst = () => {};
  const first = turns.run(async () => {
    happened.push('first begins');
    await new Promise<void>((resolve) => (endFirst = resolve));
    happened.push('first fails');
    throw new Error('first');
  });
  const second = turns.run(() => {
    happened.push('second');
    return Promise.resolve(2);
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(happened).toEqual(['first begins']);
  endFirst();
  await expect(first).rejects.toThrow('first');
  expect(await second).toBe(2);
  expect(happened).toEqual(['first begins', 'first fails', 'second']);
});
