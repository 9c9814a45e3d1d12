import { WarmswapError } from './errors.js';
import type { Datatype, Tensor } from './tensor.js';
import { decodeUtf8 } from './unicode.js';

/** Tensors to JSON, as the Open Inference Protocol has them: flat, in row-major order. */

/** Elements of one tensor; more are for the binary extension. */
export const MOST_JSON_ELEMENTS = 2 ** 23;

type Numbers = Iterable<number | bigint> & { length: number; join: (separator: string) => string };
type InJson = Exclude<Datatype, 'BYTES' | 'FP16' | 'BF16' | 'BOOL'>;

const VIEWS: Readonly<Record<InJson, (buffer: ArrayBuffer) => Numbers>> = {
  UINT8: (buffer) => new Uint8Array(buffer),
  UINT16: (buffer) => new Uint16Array(buffer),
  UINT32: (buffer) => new Uint32Array(buffer),
  UINT64: (buffer) => new BigUint64Array(buffer),
  INT8: (buffer) => new Int8Array(buffer),
  INT16: (buffer) => new Int16Array(buffer),
  INT32: (buffer) => new Int32Array(buffer),
  INT64: (buffer) => new BigInt64Array(buffer),
  FP32: (buffer) => new Float32Array(buffer),
  FP64: (buffer) => new Float64Array(buffer),
};

/** The protocol has these in binary alone. */
export function isInJson(datatype: Datatype): boolean {
  return datatype !== 'FP16' && datatype !== 'BF16';
}

/**
 * The JSON text of a tensor's data. Integers have all their digits; NaN and the infinities, which
 * JSON's numbers lack, are the texts "NaN", "Infinity" and "-Infinity". Throws INVALID_ARGUMENT for
 * what JSON does not hold: FP16, BF16, BYTES that are no UTF-8, more than 2^23 elements.
 */
export function dataToJson({ datatype, data }: Tensor): string {
  if (datatype === 'BYTES') return JSON.stringify(texts(data as readonly (Uint8Array | string)[]));
  const bytes = new Uint8Array(data as Uint8Array); // a copy begins where any element may
  if (datatype === 'BOOL') {
    refuseTooMany(bytes.length);
    return JSON.stringify(Array.from(bytes, (byte) => byte !== 0));
  }
  if (datatype === 'FP16' || datatype === 'BF16') throw notInJson(datatype);
  const values = VIEWS[datatype](bytes.buffer);
  refuseTooMany(values.length);
  return datatype.startsWith('FP') ? floats(values as Iterable<number>) : `[${values.join(',')}]`;
}

function floats(values: Iterable<number>): string {
  return JSON.stringify(
    Array.from(values, (value) => (Number.isFinite(value) ? value : String(value))),
  );
}

function texts(elements: readonly (Uint8Array | string)[]): string[] {
  refuseTooMany(elements.length);
  return elements.map((element) => (typeof element === 'string' ? element : text(element)));
}

function text(element: Uint8Array): string {
  const decoded = decodeUtf8(element);
  if (decoded === undefined) throw notInJson('BYTES that are no UTF-8 text');
  return decoded;
}

function refuseTooMany(count: number): void {
  if (count > MOST_JSON_ELEMENTS) throw notInJson(`a tensor of ${count} elements`);
}

export function notInJson(what: string): WarmswapError {
  return new WarmswapError(
    'INVALID_ARGUMENT',
    `JSON does not hold ${what}: send and ask for binary data (binary_data_size, binary_data)`,
  );
}
