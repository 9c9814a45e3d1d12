import { WarmswapError } from '../rpc/errors.js';
import { dataFromJson } from '../rpc/json-tensor.js';
import type { Datatype } from '../rpc/tensor.js';
import { decodeUtf8 } from '../rpc/unicode.js';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './float16.js';
import { fromTensor, toTensor, type InputTensor, type OutputTensor } from './tensors.js';

/** Tensors from values and back, where `{shape, data}` with the right array is not at hand. */

/** What `tensor` takes: an array of the datatype's class, floats for any float, or plain values. */
export type TensorValues =
  InputTensor['data'] | readonly (number | bigint | boolean)[] | readonly string[];

/**
 * An input of `datatype` from `values` in row-major order. Floats are rounded to FP16 and BF16. Plain
 * integers must be ones of the datatype. Throws INVALID_ARGUMENT for values that are not, and for a
 * number of values that does not fill `shape`.
 */
export function tensor(
  datatype: Datatype,
  shape: readonly number[],
  values: TensorValues,
): InputTensor {
  const data = dataOf(datatype, values);
  const wanted = shape.reduce((product, size) => product * size, 1);
  if (data.length === wanted) return { datatype, shape, data };
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `shape [${shape.join(', ')}] holds ${wanted} values, got ${data.length}`,
  );
}

function dataOf(datatype: Datatype, values: TensorValues): InputTensor['data'] {
  if (values instanceof Float32Array || values instanceof Float64Array) {
    if (datatype === 'FP16') return toFloat16(values);
    if (datatype === 'BF16') return toBfloat16(values);
    if (datatype === 'FP32' && values instanceof Float64Array) return new Float32Array(values);
  }
  const isPlain = Array.isArray(values) && datatype !== 'BYTES';
  const data = isPlain ? fromPlain(datatype, values as readonly unknown[]) : values;
  const given = { datatype, shape: [], data: data as InputTensor['data'] };
  toTensor(given);
  return given.data;
}

function fromPlain(datatype: Datatype, values: readonly unknown[]): OutputTensor['data'] {
  const elements = values.map((value) => (typeof value === 'bigint' ? String(value) : value));
  return fromTensor({ datatype, shape: [], data: dataFromJson(elements, datatype) }).data;
}

/** The values of an FP16, BF16 or FP32 tensor, exactly. Throws INVALID_ARGUMENT for other datatypes. */
export function float32Values({ datatype, data }: OutputTensor): Float32Array {
  if (datatype === 'FP16') return fromFloat16(data as Uint16Array);
  if (datatype === 'BF16') return fromBfloat16(data as Uint16Array);
  if (datatype === 'FP32') return data as Float32Array;
  throw new WarmswapError('INVALID_ARGUMENT', `expected FP16, BF16 or FP32, got ${datatype}`);
}

/**
 * The elements of a BYTES tensor as UTF-8 texts. Throws INVALID_ARGUMENT for other datatypes, and for an
 * element that is no UTF-8: its bytes are in `data`.
 */
export function textValues({ datatype, data }: OutputTensor): string[] {
  if (datatype !== 'BYTES') {
    throw new WarmswapError('INVALID_ARGUMENT', `expected BYTES, got ${datatype}`);
  }
  return (data as readonly (Uint8Array | string)[]).map(toText);
}

function toText(element: Uint8Array | string, index: number): string {
  const text = typeof element === 'string' ? element : decodeUtf8(element);
  if (text !== undefined) return text;
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `element ${index} is no UTF-8 text; take its bytes from the tensor's data`,
  );
}
