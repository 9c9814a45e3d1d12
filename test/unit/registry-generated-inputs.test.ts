import { describe, expect, test } from 'vitest';
import { generateInputs } from '../../src/registry/generated-inputs.js';
import { DATATYPES, type Datatype } from '../../src/rpc/tensor.js';

const input = (name: string, datatype: Datatype, shape: readonly number[]) => ({
  name,
  datatype,
  shape,
});

describe('generated inputs', () => {
  test.each(Object.entries(DATATYPES).filter(([, bytes]) => bytes > 0) as [Datatype, number][])(
    'of %s are zeros of %i bytes an element',
    (datatype, bytes) => {
      const { x } = generateInputs([input('x', datatype, [2, 3])], {});
      expect(x).toEqual({ datatype, shape: [2, 3], data: new Uint8Array(6 * bytes) });
    },
  );

  test('of BYTES are empty texts', () => {
    const { x } = generateInputs([input('x', 'BYTES', [3])], {});
    expect(x).toEqual({ datatype: 'BYTES', shape: [3], data: ['', '', ''] });
  });

  test('have 1 in the place of each free dimension', () => {
    const { x } = generateInputs([input('x', 'INT8', [-1, 4, -1])], {});
    expect(x).toEqual({ datatype: 'INT8', shape: [1, 4, 1], data: new Uint8Array(4) });
  });

  test('of a scalar are one element, of a dimension of 0 none', () => {
    const inputs = generateInputs([input('s', 'FP64', []), input('e', 'FP64', [0, 5])], {});
    expect(inputs.s?.data).toHaveLength(8);
    expect(inputs.e?.data).toHaveLength(0);
  });

  test('have the shapes that are given for them, the others their own', () => {
    const signature = [input('x', 'FP32', [-1, 4]), input('y', 'FP32', [-1])];
    const inputs = generateInputs(signature, { x: [2, 8], z: [9] });
    expect(Object.keys(inputs)).toEqual(['x', 'y']);
    expect(inputs.x).toMatchObject({ shape: [2, 8], data: new Uint8Array(64) });
    expect(inputs.y).toMatchObject({ shape: [1] });
  });

  test('may have the names of methods', () => {
    const names = ['constructor', 'toString', '__proto__'];
    const inputs = generateInputs(
      names.map((name) => input(name, 'UINT8', [2])),
      {},
    );
    expect(Object.keys(inputs)).toEqual(names);
    for (const tensor of Object.values(inputs)) expect(tensor.shape).toEqual([2]);
  });
});
