import { DATATYPES, type Tensor, type TensorSignature } from '../rpc/tensor.js';

/** Zeros for every input. A free dimension is 1 unless `shapes` gives the input's shape. */
export function generateInputs(
  signature: readonly TensorSignature[],
  shapes: Readonly<Record<string, readonly number[]>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    signature.map((input) => {
      const given = Object.hasOwn(shapes, input.name) ? shapes[input.name] : undefined;
      return [input.name, zeros(input, given)];
    }),
  );
}

function zeros(input: TensorSignature, given: readonly number[] | undefined): Tensor {
  const shape = given ?? input.shape.map((size) => (size < 0 ? 1 : size));
  const count = shape.reduce((product, size) => product * size, 1);
  const data =
    input.datatype === 'BYTES'
      ? new Array<string>(count).fill('')
      : new Uint8Array(count * DATATYPES[input.datatype]);
  return { datatype: input.datatype, shape, data };
}
