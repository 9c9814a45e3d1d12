import { beforeEach, describe, expect, test } from 'vitest';
import {
  LEAST_APART_MS,
  MOST_BYTES,
  MOST_REQUESTS,
  RequestRecorder,
  SAMPLED,
} from '../../src/registry/request-recorder.js';
import type { Tensor } from '../../src/rpc/tensor.js';

const request = (value: number, bytes = 1): Record<'x', Tensor> => ({
  x: { datatype: 'UINT8', shape: [bytes], data: new Uint8Array(bytes).fill(value) },
});

let now: number;
let recorder: RequestRecorder;
beforeEach(() => {
  now = 1000;
  recorder = new RequestRecorder(() => now);
});

/** The first byte of each recorded request. */
const kept = () => recorder.requests().map(({ x }) => x?.data[0]);
const record = (count: number, bytes = 1) => {
  for (let i = 0; i < count; i++) recorder.record(request(i, bytes));
};
/** How many of so many requests are due, one of which comes in each interval. */
const duesOf = (requests: number, intervalMs = LEAST_APART_MS) =>
  Array.from({ length: requests }, () => {
    now += intervalMs;
    return recorder.due();
  }).filter(Boolean).length;

describe('the ring', () => {
  test('keeps the last 16 requests', () => {
    record(20);
    expect(kept()).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('keeps no more bytes than its bound, whichever come', () => {
    record(3, MOST_BYTES / 2);
    expect(kept()).toEqual([1, 2]);
    recorder.record(request(9, MOST_BYTES));
    expect(kept()).toEqual([9]);
    recorder.record(request(1));
    expect(kept()).toEqual([1]);
  });

  test('does not take a request that is bigger than itself, nor lose another for it', () => {
    record(2);
    recorder.record(request(7, MOST_BYTES + 1));
    expect(kept()).toEqual([0, 1]);
  });

  test('counts texts and bytes of BYTES, also the empty ones', () => {
    const text = { datatype: 'BYTES', shape: [1], data: ['ä'.repeat(MOST_BYTES / 2)] } as const;
    recorder.record({ text });
    const data = new Array<string>(MOST_BYTES / 16 + 1).fill('');
    recorder.record({ empty: { datatype: 'BYTES', shape: [data.length], data } });
    expect(recorder.requests()).toEqual([]);
  });
});

describe('a request', () => {
  test('is a copy: its buffer may be used again', () => {
    const frame = Buffer.from([1, 2, 3]);
    const shape = [2];
    recorder.record({
      x: { datatype: 'UINT8', shape, data: frame.subarray(0, 2) },
      y: { datatype: 'BYTES', shape: [2], data: [frame.subarray(2), 'text'] },
    });
    frame.fill(9);
    shape[0] = 9;
    expect(recorder.requests()).toEqual([
      {
        x: { datatype: 'UINT8', shape: [2], data: Uint8Array.of(1, 2) },
        y: { datatype: 'BYTES', shape: [2], data: [Uint8Array.of(3), 'text'] },
      },
    ]);
  });

  test('is kept when it is answered, and copied before', async () => {
    const answered = withResolvers();
    const inputs = request(1);
    recorder.record(inputs, answered.promise);
    (inputs.x.data as Uint8Array).fill(2);
    expect(kept()).toEqual([]);
    answered.resolve(undefined);
    await answered.promise;
    expect(kept()).toEqual([1]);
  });

  test('that fails is not kept, and makes way for the next one', async () => {
    const answered = withResolvers();
    recorder.record(request(1), answered.promise);
    expect(recorder.due()).toBe(false);
    answered.reject(new Error('cancelled'));
    await settled();
    expect([kept(), recorder.due()]).toEqual([[], true]);
  });
});

describe('due', () => {
  test('is every request until the ring is full, then every 64th', () => {
    for (let i = 0; i < MOST_REQUESTS; i++) {
      expect(recorder.due()).toBe(true);
      recorder.record(request(i));
    }
    expect(duesOf(SAMPLED - 1)).toBe(0);
    expect(duesOf(1)).toBe(1);
    expect(duesOf(10 * SAMPLED)).toBe(10);
  });

  test('is less often where requests come fast', () => {
    record(MOST_REQUESTS);
    const intervalMs = 0.01;
    const elapsedMs = 1000;
    const dues = duesOf(elapsedMs / intervalMs, intervalMs);
    expect(dues).toBeGreaterThan(elapsedMs / LEAST_APART_MS / 2);
    expect(dues).toBeLessThanOrEqual(elapsedMs / LEAST_APART_MS);
  });

  test('is every 64th also of a ring that is full by bytes', () => {
    record(2, MOST_BYTES);
    expect(duesOf(2 * SAMPLED)).toBe(2);
  });
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function withResolvers() {
  let resolve: (value: undefined) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<undefined>((onResolve, onReject) => {
    [resolve, reject] = [onResolve, onReject];
  });
  return { promise, resolve, reject };
}
