import { describe, expect, test } from 'vitest';
import { signatureChange } from '../../src/registry/signature.js';
import type { TensorSignature } from '../../src/rpc/tensor.js';

const x = (shape: readonly number[] = [-1, 4]): TensorSignature => ({
  name: 'x',
  datatype: 'FP32',
  shape,
});
const y: TensorSignature = { name: 'y', datatype: 'INT64', shape: [2] };
const none = { inputs: [], outputs: [] };

const inputsChange = (before: TensorSignature[], after: TensorSignature[]) =>
  signatureChange({ ...none, inputs: before }, { ...none, inputs: after });

describe('clients do not notice', () => {
  test.each([
    ['the same tensors', [x(), y], [x(), y]],
    ['another order', [x(), y], [y, x()]],
    ['a fixed dimension that is free now', [x([3, 4])], [x([-1, 4])]],
    ['a free dimension that stays free', [x([-1, -1])], [x([-1, -1])]],
    ['no tensors', [], []],
    ['a scalar', [x([])], [x([])]],
  ])('%s', (_, before, after) => {
    expect(inputsChange(before, after)).toBeUndefined();
  });
});

describe('clients notice', () => {
  test.each([
    ['another fixed dimension', [x([1, 4])], [x([1, 5])], 'was FP32 [1, 4] and is FP32 [1, 5]'],
    ['a free dimension that is fixed', [x()], [x([1, 4])], 'was FP32 [?, 4] and is FP32 [1, 4]'],
    ['another rank', [x([1, 4])], [x([4])], 'was FP32 [1, 4] and is FP32 [4]'],
    ['a longer rank', [x([4])], [x([4, -1])], 'was FP32 [4] and is FP32 [4, ?]'],
    [
      'another datatype',
      [x()],
      [{ ...x(), datatype: 'FP16' as const }],
      'was FP32 [?, 4] and is FP16 [?, 4]',
    ],
    ['a tensor that is gone', [x(), y], [y], 'is gone'],
    ['another name', [x()], [{ ...x(), name: 'X' }], 'is gone'],
  ])('%s', (_, before, after, change) => {
    expect(inputsChange(before, after)).toBe(`input 'x' ${change}`);
  });

  test('a tensor that is new', () => {
    expect(inputsChange([y], [x(), y])).toBe("input 'x' is new");
    expect(inputsChange([], [x()])).toBe("input 'x' is new");
  });

  test('the same of outputs, after the inputs', () => {
    const before = { inputs: [x()], outputs: [x(), y] };
    expect(signatureChange(before, { ...before, outputs: [x()] })).toBe("output 'y' is gone");
    expect(signatureChange(before, { inputs: [y], outputs: [x()] })).toBe("input 'x' is gone");
    expect(signatureChange(before, { ...before, outputs: [x([4]), y] })).toBe(
      "output 'x' was FP32 [?, 4] and is FP32 [4]",
    );
  });
});
