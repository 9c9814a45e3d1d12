import type { Datatype, InputTensor, TensorSignature, TypedArray } from '../client/index.js';
import { fromTensor } from '../client/tensors.js';
import { DATATYPES } from '../rpc/tensor.js';
import { UsageError } from './usage-error.js';

/** Inputs of `warmswap infer` made from JSON or raw bytes, after the model's signature. */

type Leaf = number | string | boolean;

const FROM_NUMBERS: Partial<Record<Datatype, (values: number[]) => TypedArray>> = {
  BOOL: (values) => Uint8Array.from(values),
  UINT8: (values) => Uint8Array.from(values),
  UINT16: (values) => Uint16Array.from(values),
  UINT32: (values) => Uint32Array.from(values),
  INT8: (values) => Int8Array.from(values),
  INT16: (values) => Int16Array.from(values),
  INT32: (values) => Int32Array.from(values),
  FP32: (values) => Float32Array.from(values),
  FP64: (values) => Float64Array.from(values),
};

const FLOATS: ReadonlySet<Datatype> = new Set(['FP16', 'BF16', 'FP32', 'FP64']);
const NOT_IN_JSON: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

/** `[[1, 2], [3, 4]]`, or `{"shape": [2, 2], "data": [1, 2, 3, 4]}`. Throws UsageError. */
export function jsonToInput(text: string, { name, datatype }: TensorSignature): InputTensor {
  const value = parseJson(text, name);
  const isTensor =
    typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
  const shape = isTensor ? (value.shape as number[]) : shapeOf(value);
  const leaves = (isTensor ? [value.data] : [value]).flat(Infinity) as Leaf[];
  return { datatype, shape, data: toData(leaves, datatype, name) };
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

function toData(leaves: readonly Leaf[], datatype: Datatype, name: string): InputTensor['data'] {
  if (datatype === 'BYTES') return leaves.map(String);
  const wrong = leaves.find((leaf) => !fits(leaf, datatype));
  if (wrong !== undefined) {
    throw new UsageError(`input '${name}': ${JSON.stringify(wrong)} is no ${datatype}`);
  }
  if (datatype === 'INT64') return BigInt64Array.from(leaves, (leaf) => BigInt(leaf));
  if (datatype === 'UINT64') return BigUint64Array.from(leaves, (leaf) => BigInt(leaf));
  const make = FROM_NUMBERS[datatype];
  if (make) return make(leaves.map(Number));
  throw new UsageError(`input '${name}': give ${datatype} as a file of raw bytes`);
}

/** Whether the value can be had exactly; floats are rounded. */
function fits(leaf: unknown, datatype: Datatype): boolean {
  if (datatype === 'BOOL') return [true, false, 0, 1].includes(leaf as number);
  if (FLOATS.has(datatype)) return typeof leaf === 'number' || NOT_IN_JSON.has(leaf);
  const integer = toInteger(leaf);
  if (integer === undefined) return false;
  const bits = DATATYPES[datatype] * 8;
  const kept = datatype.startsWith('U')
    ? BigInt.asUintN(bits, integer)
    : BigInt.asIntN(bits, integer);
  return kept === integer;
}

/** Integers that JSON's numbers do not hold exactly come as texts. */
function toInteger(leaf: unknown): bigint | undefined {
  const isInteger = typeof leaf === 'string' ? /^-?\d+$/.test(leaf) : Number.isSafeInteger(leaf);
  return isInteger ? BigInt(leaf as string | number) : undefined;
}

function fillFreeDimension(shape: readonly number[], count: number): number[] | undefined {
  const known = shape.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const free = shape.filter((size) => size < 0).length;
  const missing = count / known;
  const isWhole = Number.isInteger(missing) && (free === 1 || (free === 0 && missing === 1));
  return isWhole ? shape.map((size) => (size < 0 ? missing : size)) : undefined;
}
