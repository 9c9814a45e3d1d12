import assert from 'node:assert/strict';

/** TensorFloat-32 has ten bits of mantissa, and sums of other order. */
const RELATIVE = 2e-3;
const ABSOLUTE = 2e-3;

/** That two answers agree as nearly as two devices do. */
export function expectClose(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(actual.length, expected.length, what);
  assert.ok(
    expected.some((value) => value !== 0),
    `${what}: nothing was computed`,
  );
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs((actual[i] ?? NaN) - value);
    const isClose = difference <= ABSOLUTE + RELATIVE * Math.abs(value);
    assert.ok(isClose, `${what}: value ${i} is ${actual[i]}, expected ${value}`);
  }
}
