import type { InputTensor, TensorSignature } from '../client/index.js';
import { fromTensor } from '../client/tensors.js';
import { dataFromJson } from '../rpc/json-tensor.js';
import { DATATYPES, type Datatype, type Tensor } from '../rpc/tensor.js';
import { UsageError } from './usage-error.js';

/** Inputs of `warmswap infer` made from JSON or raw bytes, after the model's signature. */

/** `[[1, 2], [3, 4]]`, or `{"shape": [2, 2], "data": [1, 2, 3, 4]}`. Throws UsageError. */
export function jsonToInput(text: string, { name, datatype }: TensorSignature): InputTensor {
  const value = parseJson(text, name);
  const isTensor =
    typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
  const shape = isTensor ? (value.shape as number[]) : shapeOf(value);
  const elements: unknown[] = (isTensor ? [value.data] : [value]).flat(Infinity);
  return fromTensor({ datatype, shape, data: toData(elements, datatype, name) });
}

/** Raw little-endian bytes; one free dimension is worked out from their number. Throws UsageError. */
export function bytesToInput(
  bytes: Uint8Array,
  { name, datatype, shape }: TensorSignature,
): InputTensor {
  if (datatype === 'BYTES') return { datatype, shape: [1], data: [bytes] };
  const count = bytes.length / DATATYPES[datatype];
  const filled = fillFreeDimension(shape, count);
  if (!filled) {
    throw new UsageError(
      `input '${name}': ${bytes.length} bytes do not fill ${datatype} [${shape.join(', ')}]; give JSON with a shape`,
    );
  }
  return fromTensor({ datatype, shape: filled, data: bytes });
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`input '${name}': ${(error as Error).message}`);
  }
}

function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [];
}

function toData(elements: readonly unknown[], datatype: Datatype, name: string): Tensor['data'] {
  try {
    return dataFromJson(elements, datatype);
  } catch (error) {
    throw new UsageError(`input '${name}': ${(error as Error).message}`);
  }
}

function fillFreeDimension(shape: readonly number[], count: number): number[] | undefined {
  const known = shape.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const free = shape.filter((size) => size < 0).length;
  const missing = count / known;
  const isWhole = Number.isInteger(missing) && (free === 1 || (free === 0 && missing === 1));
  return isWhole ? shape.map((size) => (size < 0 ? missing : size)) : undefined;
}
