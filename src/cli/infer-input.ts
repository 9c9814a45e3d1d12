import type { InputTensor, TensorSignature } from '../client/index.js';
import { fromTensor } from '../client/tensors.js';
import { parseExactJson } from '../rpc/exact-json.js';
import { dataFromJson, textFromJson } from '../rpc/json-tensor.js';
import { kindOf } from '../rpc/kind-of.js';
import { DATATYPES, describeTensor, type Datatype, type Tensor } from '../rpc/tensor.js';
import { inputExample } from './input-example.js';
import { parseNpy } from './npy.js';
import { UsageError } from './usage-error.js';

const MOST_SHOWN = 64;

/** Inputs made from JSON, .npy files or raw bytes, after the model's signature. */

/**
 * `[[1, 2], [3, 4]]`, `{"shape": [2, 2], "data": [1, 2, 3, 4]}`, or numbers in a row (`1, 2, 3, 4`,
 * `[1, 2, 3, 4]`), which fill the shape of the signature. BYTES are texts, or `{"base64": …}`. Throws
 * UsageError.
 */
export function jsonToInput(text: string, signature: TensorSignature): InputTensor {
  const { name, datatype } = signature;
  return refusing(name, () => {
    const value = parseJson(text, signature);
    const { shape, elements } = isTensor(value)
      ? fromTensorJson(value, datatype)
      : fromNested(value, signature);
    return fromTensor({ datatype, shape, data: dataOf(elements, datatype) });
  });
}

/** As `infer --json` writes it: bytes that are no text are `{"base64": …}`. */
function dataOf(elements: readonly unknown[], datatype: Datatype): Tensor['data'] {
  if (datatype !== 'BYTES') return dataFromJson(elements, datatype);
  return elements.map((element) =>
    isBase64(element) ? fromBase64(element.base64) : textFromJson(element),
  );
}

function isBase64(element: unknown): element is { base64: unknown } {
  return typeof element === 'object' && element !== null && 'base64' in element;
}

function fromBase64(text: unknown): Uint8Array {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
  if (bytes?.toString('base64') === text) return bytes as Uint8Array;
  throw new Error(`expected {"base64": …} of padded base64, got ${kindOf(text)}`);
}

/**
 * Raw little-endian bytes; one free dimension is worked out from their number. For BYTES they are one
 * element. Throws UsageError.
 */
export function bytesToInput(
  bytes: Uint8Array,
  { name, datatype, shape }: TensorSignature,
): InputTensor {
  if (datatype === 'BYTES') return { datatype, shape: shape.map(() => 1), data: [bytes] };
  const filled = fillFreeDimension(shape, bytes.length / DATATYPES[datatype]);
  if (filled) return fromTensor({ datatype, shape: filled, data: bytes });
  throw new UsageError(
    `input '${name}': ${bytes.length} bytes do not fill ${datatype} [${shape.join(', ')}]; give JSON with a shape, or --shape`,
  );
}

/** A file of NumPy, whose dtype must be the signature's. Throws UsageError. */
export function npyToInput(bytes: Uint8Array, { name, datatype }: TensorSignature): InputTensor {
  return refusing(name, () => {
    const array = parseNpy(bytes);
    if (array.datatype === datatype) return fromTensor(array);
    throw new Error(`expected ${datatype}, got ${describeTensor(array)}`);
  });
}

function refusing<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new UsageError(`input '${name}': ${(error as Error).message}`);
  }
}

function parseJson(text: string, signature: TensorSignature): unknown {
  const isRow = /^\s*[-\d]/.test(text);
  try {
    return parseExactJson(Buffer.from(isRow && text.includes(',') ? `[${text}]` : text));
  } catch (error) {
    const kind = signature.datatype === 'BYTES' ? 'texts in JSON' : 'numbers or JSON';
    throw new Error(
      `expected ${kind} for ${describeTensor(signature)}, such as ${inputExample(signature)}, ` +
        `got '${text.slice(0, MOST_SHOWN)}' (${(error as Error).message})`,
      { cause: error },
    );
  }
}

interface TensorJson {
  shape: unknown;
  data: unknown;
  datatype?: unknown;
}

function isTensor(value: unknown): value is TensorJson {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}

interface Elements {
  shape: readonly number[];
  elements: readonly unknown[];
}

function fromTensorJson({ shape, data, datatype }: TensorJson, wanted: Datatype): Elements {
  if (datatype !== undefined && datatype !== wanted) {
    throw new Error(`expected ${wanted}, got ${JSON.stringify(datatype)}`);
  }
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new Error('the shape must be an array of integers of at least 0');
  }
  const elements: unknown[] = [data].flat(Infinity);
  const count = (shape as number[]).reduce((product, size) => product * size, 1);
  if (elements.length === count) return { shape: shape as number[], elements };
  throw new Error(`expected ${count} elements for [${shape.join(', ')}], got ${elements.length}`);
}

/** Elements in a row fill a signature of another rank, where that can be done in one way. */
function fromNested(value: unknown, signature: TensorSignature): Elements {
  const elements: unknown[] = [value].flat(Infinity);
  const shape = shapeOf(value);
  const isRow = shape.length <= 1 && shape.length !== signature.shape.length;
  const filled = isRow ? fillFreeDimension(signature.shape, elements.length) : undefined;
  return { shape: filled ?? shape, elements };
}

const SCALAR: readonly number[] = [];

function shapeOf(value: unknown): readonly number[] {
  if (!Array.isArray(value)) return SCALAR;
  const [first = SCALAR, ...others] = value.map(shapeOf);
  if (
    others.every((other) => other.length === first.length && other.every((n, i) => n === first[i]))
  )
    return [value.length, ...first];
  throw new Error('its rows differ in length');
}

function fillFreeDimension(shape: readonly number[], count: number): number[] | undefined {
  const known = shape.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const free = shape.filter((size) => size < 0).length;
  const missing = count / known;
  const isWhole = Number.isInteger(missing) && (free === 1 || (free === 0 && missing === 1));
  return isWhole ? shape.map((size) => (size < 0 ? missing : size)) : undefined;
}
