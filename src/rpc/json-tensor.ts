import { WarmswapError } from './errors.js';
import { toBf16, toFp16 } from './half-floats.js';
import { DATATYPES, type Datatype, type Tensor } from './tensor.js';
import { isUnicode } from './unicode.js';

/** Tensors from JSON: numbers, integers as texts where JSON's numbers are too small, texts for BYTES. */

type Numeric = Exclude<Datatype, 'BYTES'>;

const FLOATS: ReadonlySet<Datatype> = new Set(['FP16', 'BF16', 'FP32', 'FP64']);
/** Of an element in an error message. */
const MOST_SHOWN = 64;
const NOT_IN_JSON: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

const ARRAYS: Readonly<Record<Numeric, (values: readonly unknown[]) => ArrayBufferView>> = {
  BOOL: (values) => Uint8Array.from(values, Number),
  UINT8: (values) => Uint8Array.from(values, Number),
  UINT16: (values) => Uint16Array.from(values, Number),
  UINT32: (values) => Uint32Array.from(values, Number),
  UINT64: (values) => BigUint64Array.from(values, (value) => BigInt(value as number)),
  INT8: (values) => Int8Array.from(values, Number),
  INT16: (values) => Int16Array.from(values, Number),
  INT32: (values) => Int32Array.from(values, Number),
  INT64: (values) => BigInt64Array.from(values, (value) => BigInt(value as number)),
  FP16: (values) => Uint16Array.from(values, (value) => toFp16(Number(value))),
  BF16: (values) => Uint16Array.from(values, (value) => toBf16(Number(value))),
  FP32: (values) => new Float32Array(asNumbers(values)),
  FP64: (values) => new Float64Array(asNumbers(values)),
};

/**
 * The data of a tensor from its elements, in row-major order. Floats are rounded; anything else that
 * the datatype does not hold exactly is refused with INVALID_ARGUMENT. For BYTES a number or a boolean is
 * the text it is written with.
 */
export function dataFromJson(elements: readonly unknown[], datatype: Datatype): Tensor['data'] {
  if (datatype === 'BYTES') return elements.map(textFromJson);
  const index = elements.findIndex((element) => !fits(element, datatype));
  if (index >= 0) {
    throw new WarmswapError(
      'INVALID_ARGUMENT',
      `${describeElement(elements[index])} is no ${datatype}`,
    );
  }
  const { buffer, byteOffset, byteLength } = ARRAYS[datatype](elements);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The text of an element of BYTES. Throws INVALID_ARGUMENT for what has none, or none that UTF-8 holds. */
export function textFromJson(element: unknown): string {
  const text = isScalar(element) ? String(element) : undefined;
  if (text !== undefined && isUnicode(text)) return text;
  const got = text === undefined ? describeElement(element) : 'half a pair of surrogates';
  throw new WarmswapError('INVALID_ARGUMENT', `BYTES: expected Unicode texts, got ${got}`);
}

function isScalar(element: unknown): element is string | number | bigint | boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof element);
}

/** The same array where nothing is to be converted: `from` with a function takes ten times as long. */
function asNumbers(values: readonly unknown[]): readonly number[] {
  const isNumeric = values.every((value) => typeof value === 'number');
  return isNumeric ? values : values.map(Number);
}

/** Whether the value can be had exactly; floats are rounded. */
function fits(element: unknown, datatype: Numeric): boolean {
  if (datatype === 'BOOL') return [true, false, 0, 1].includes(element as number);
  if (FLOATS.has(datatype)) {
    return typeof element === 'number' || typeof element === 'bigint' || NOT_IN_JSON.has(element);
  }
  const bits = DATATYPES[datatype] * 8;
  if (Number.isSafeInteger(element)) return isInRange(element as number, bits, datatype[0] === 'U');
  const integer = toBigInt(element);
  if (integer === undefined) return false;
  const kept = datatype[0] === 'U' ? BigInt.asUintN(bits, integer) : BigInt.asIntN(bits, integer);
  return kept === integer;
}

function isInRange(integer: number, bits: number, isUnsigned: boolean): boolean {
  const most = 2 ** (isUnsigned ? bits : bits - 1);
  return integer < most && integer >= (isUnsigned ? 0 : -most);
}

/** Integers that JSON's numbers do not hold exactly come as texts, or as what an exact parser makes of them. */
function toBigInt(element: unknown): bigint | undefined {
  if (typeof element === 'bigint') return element;
  const isInteger = typeof element === 'string' && /^-?\d{1,20}$/.test(element);
  return isInteger ? BigInt(element) : undefined;
}

function describeElement(element: unknown): string {
  if (typeof element === 'bigint') return `${element}`;
  return JSON.stringify(element).slice(0, MOST_SHOWN);
}
