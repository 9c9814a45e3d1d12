/** The Open Inference Protocol's datatypes with the bytes of one element; BYTES elements vary. */
export const DATATYPES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
} as const;

export type Datatype = keyof typeof DATATYPES;

export function isDatatype(value: unknown): value is Datatype {
  return typeof value === 'string' && Object.hasOwn(DATATYPES, value);
}

/**
 * A tensor as it travels: `data` is little-endian and row-major, `shape` has one integer per
 * dimension. The data of a BYTES tensor is one element each, as bytes or as UTF-8 text.
 */
export interface Tensor {
  datatype: Datatype;
  shape: readonly number[];
  data: Uint8Array | readonly (Uint8Array | string)[];
}

/** One input or output of a model. A free dimension is -1. */
export interface TensorSignature {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
}

/** For example `FP32 [?, 4]`. */
export function describeTensor(tensor: { datatype: string; shape: readonly number[] }): string {
  const shape = tensor.shape.map((size) => (size < 0 ? '?' : String(size)));
  return `${tensor.datatype} [${shape.join(', ')}]`;
}

/** The same tensors in memory of their own. */
export function copyTensors(
  tensors: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { datatype, shape, data }]) => [
      name,
      { datatype, shape: [...shape], data: copyData(data) },
    ]),
  );
}

function copyData(data: Tensor['data']): Tensor['data'] {
  if (data instanceof Uint8Array) return new Uint8Array(data);
  return data.map((element) => (typeof element === 'string' ? element : new Uint8Array(element)));
}
