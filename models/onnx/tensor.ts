import { bytesPerElement, type Datatype } from './datatypes.js';

/**
 * Writes a part of a tensor's bytes: fills the whole of `chunk`, which starts `byteOffset` bytes into
 * the tensor. Called in ascending order without gaps. Offsets and lengths are whole elements, and
 * `chunk` is aligned for any typed array over it.
 */
export type TensorFill = (chunk: Uint8Array, byteOffset: number) => void;

/** An initializer. Raw bytes are little-endian and row-major; strings are for BYTES only. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array | TensorFill | readonly string[];
}

/** What `tensor` takes as data: raw bytes, a fill function, or one value per element. */
export type TensorData =
  Uint8Array | TensorFill | readonly string[] | readonly (number | bigint | boolean)[];

/**
 * A named constant of the given shape ([] is a scalar). Throws a RangeError if the data's length does
 * not fit the shape, a TypeError if its kind does not fit the datatype.
 */
export function tensor(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  data: TensorData,
): Tensor {
  if (typeof data === 'function') {
    bytesPerElement(datatype);
    return { name, datatype, shape, data };
  }
  const stored = data instanceof Uint8Array ? data : fromValues(datatype, data);
  checkLength(name, stored.length, storedLength(datatype, shape));
  return { name, datatype, shape, data: stored };
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Size of a tensor in bytes. Throws a TypeError for BYTES. */
export function byteLength(tensor: Tensor): number {
  return elementCount(tensor.shape) * bytesPerElement(tensor.datatype);
}

function storedLength(datatype: Datatype, shape: readonly number[]): number {
  const perElement = datatype === 'BYTES' ? 1 : bytesPerElement(datatype);
  return elementCount(shape) * perElement;
}

function checkLength(name: string, actual: number, expected: number): void {
  if (actual !== expected) {
    throw new RangeError(`tensor ${name}: data has length ${actual}, its shape needs ${expected}`);
  }
}

function fromValues(
  datatype: Datatype,
  values: readonly string[] | readonly (number | bigint | boolean)[],
): Uint8Array | readonly string[] {
  if (datatype === 'BYTES') return values.map(String);
  const size = bytesPerElement(datatype);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  const set = elementSetter(datatype);
  values.forEach((value, index) => {
    if (typeof value === 'string') throw new TypeError(`${datatype} does not take strings`);
    set(view, index * size, value);
  });
  return bytes;
}

type ElementSetter = (view: DataView, at: number, value: number | bigint | boolean) => void;

const SETTERS: Partial<Record<Datatype, ElementSetter>> = {
  BOOL: (view, at, value) => view.setUint8(at, Number(value)),
  UINT8: (view, at, value) => view.setUint8(at, Number(value)),
  UINT16: (view, at, value) => view.setUint16(at, Number(value), true),
  UINT32: (view, at, value) => view.setUint32(at, Number(value), true),
  UINT64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  INT8: (view, at, value) => view.setInt8(at, Number(value)),
  INT16: (view, at, value) => view.setInt16(at, Number(value), true),
  INT32: (view, at, value) => view.setInt32(at, Number(value), true),
  INT64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  FP32: (view, at, value) => view.setFloat32(at, Number(value), true),
  FP64: (view, at, value) => view.setFloat64(at, Number(value), true),
};

function elementSetter(datatype: Datatype): ElementSetter {
  const setter = SETTERS[datatype];
  if (setter === undefined) throw new TypeError(`${datatype} takes raw bytes, not values`);
  return setter;
}
