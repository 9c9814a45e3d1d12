import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Recent } from '../../src/registry/recent.js';

interface Read {
  resolve(value: number): void;
  reject(error: Error): void;
}

/** Reads that end when the test says so. */
function steered() {
  const reads: Read[] = [];
  const read = () => new Promise<number>((resolve, reject) => reads.push({ resolve, reject }));
  return { reads, recent: new Recent(read, 1000) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('all who ask while it is read, and a while after, get the same', async () => {
  const { reads, recent } = steered();
  const asked = [recent.get()];
  vi.advanceTimersByTime(60_000);
  asked.push(recent.get());
  reads[0]?.resolve(7);
  expect(await Promise.all(asked)).toEqual([7, 7]);
  vi.advanceTimersByTime(1000);
  expect(await recent.get()).toBe(7);
  expect(reads).toHaveLength(1);
});

test('what is too old is read again', async () => {
  const { reads, recent } = steered();
  const first = recent.get();
  reads[0]?.resolve(7);
  await first;
  vi.advanceTimersByTime(1001);
  const second = recent.get();
  reads[1]?.resolve(8);
  expect(await second).toBe(8);
});

test('a read that fails is not kept', async () => {
  const { reads, recent } = steered();
  const first = recent.get();
  reads[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  const second = recent.get();
  reads[1]?.resolve(8);
  expect(await second).toBe(8);
});
