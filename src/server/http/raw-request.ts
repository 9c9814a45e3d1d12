import { WarmswapError } from '../../rpc/errors.js';
import { DATATYPES, type Tensor, type TensorSignature } from '../../rpc/tensor.js';
import type { HttpInferRequest } from './infer-request.js';

/**
 * The raw binary request (`Inference-Header-Content-Length: 0`): the whole body, on which the tensor
 * is a view, is the data of the model's only input, whose elements have a fixed size and of whose
 * dimensions at most one is free. All outputs are answered in binary. Throws INVALID_ARGUMENT.
 */
export function parseRawRequest(
  body: Uint8Array,
  inputs: readonly TensorSignature[],
): HttpInferRequest {
  const [input] = inputs;
  if (!input || inputs.length > 1) throw unfit(`a model with one input, it has ${inputs.length}`);
  if (input.datatype === 'BYTES') throw unfit('elements of a fixed size, the input has BYTES');
  const { name, datatype } = input;
  const shape = shapeOf(input, body.length);
  const tensors = Object.assign(Object.create(null) as Record<string, Tensor>, {
    [name]: { datatype, shape, data: body },
  });
  return { inputs: tensors, isBinary: () => true };
}

function shapeOf({ datatype, shape }: TensorSignature, bytes: number): readonly number[] {
  const free = shape.filter((size) => size < 0).length;
  if (free > 1) {
    throw unfit(`at most one free dimension, the input has ${free}`);
  }
  const unit = shape.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const count = bytes / (unit * DATATYPES[datatype]);
  const isFit = free === 1 ? Number.isSafeInteger(count) : count === 1 || unit + bytes === 0;
  if (isFit) return shape.map((size) => (size < 0 ? count : size));
  const unitBytes = unit * DATATYPES[datatype];
  const expected = free === 1 && unitBytes > 0 ? `a multiple of ${unitBytes}` : `${unitBytes}`;
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `the raw data of the input: expected ${expected} bytes, got ${bytes}`,
  );
}

function unfit(expected: string): WarmswapError {
  return new WarmswapError(
    'INVALID_ARGUMENT',
    `Inference-Header-Content-Length: 0, raw binary data: expected ${expected}; send a JSON header`,
  );
}
