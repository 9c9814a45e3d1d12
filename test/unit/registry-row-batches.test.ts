import { describe, expect, test } from 'vitest';
import { batchOf, rowBytes, rowCount, rowGroups } from '../../src/registry/row-batches.js';
import type { Tensor } from '../../src/rpc/tensor.js';

const uint8 = (shape: readonly number[], ...values: number[]): Tensor => ({
  datatype: 'UINT8',
  shape,
  data: Uint8Array.from(values),
});

describe('the rows of a request', () => {
  test('are its inputs’ common first dimension', () => {
    expect(rowCount({ x: uint8([2, 1], 1, 2), y: uint8([2], 3, 4) })).toBe(2);
  });

  test.each([
    ['a scalar', { x: uint8([], 1) }],
    ['another number of rows in another input', { x: uint8([1], 1), y: uint8([2], 1, 2) }],
    ['texts', { x: { datatype: 'BYTES', shape: [1], data: ['a'] } as const }],
    ['no element', { x: uint8([0, 4]) }],
    ['no input', {}],
  ])('are none where it has %s', (_, inputs) => {
    expect(rowCount(inputs)).toBe(0);
    expect(rowGroups([inputs])).toEqual([]);
  });

  test('stand in one batch with those of the same inner shapes, in any order of the names', () => {
    const narrow = { x: uint8([1, 1], 1), y: uint8([1], 2) };
    const wide = { x: uint8([1, 2], 1, 2), y: uint8([1], 3) };
    const turned = { y: uint8([2], 4, 5), x: uint8([2, 1], 6, 7) };
    expect(rowGroups([narrow, wide, turned])).toEqual([[narrow, turned], [wide]]);
    expect(rowGroups([narrow, wide]).map(rowBytes)).toEqual([2, 3]);
  });
});

describe('a batch', () => {
  const group = [
    { x: uint8([1, 2], 1, 1), y: uint8([1], 10) },
    { x: uint8([2, 2], 2, 2, 3, 3), y: uint8([2], 20, 30) },
  ] as const;

  test.each([
    [1, [1, 1], [10]],
    [2, [1, 1, 2, 2], [10, 20]],
    [3, [1, 1, 2, 2, 3, 3], [10, 20, 30]],
    [5, [1, 1, 2, 2, 3, 3, 1, 1, 2, 2], [10, 20, 30, 10, 20]],
  ])('of %i rows has those of the requests, again from the first as needed', (rows, x, y) => {
    const batch = batchOf(group, rows);
    expect(batch.x?.shape).toEqual([rows, 2]);
    expect(batch.y?.shape).toEqual([rows]);
    expect([...(batch.x?.data ?? [])]).toEqual(x);
    expect([...(batch.y?.data ?? [])]).toEqual(y);
  });
});
