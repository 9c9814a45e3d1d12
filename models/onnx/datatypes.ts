/**
 * Element types by their Open Inference Protocol names, with ONNX's `TensorProto.DataType` code and
 * the size of one element in bytes (BYTES, a string, has none).
 */
const TABLE = {
  BOOL: { code: 9, bytes: 1 },
  UINT8: { code: 2, bytes: 1 },
  UINT16: { code: 4, bytes: 2 },
  UINT32: { code: 12, bytes: 4 },
  UINT64: { code: 13, bytes: 8 },
  INT8: { code: 3, bytes: 1 },
  INT16: { code: 5, bytes: 2 },
  INT32: { code: 6, bytes: 4 },
  INT64: { code: 7, bytes: 8 },
  FP16: { code: 10, bytes: 2 },
  BF16: { code: 16, bytes: 2 },
  FP32: { code: 1, bytes: 4 },
  FP64: { code: 11, bytes: 8 },
  BYTES: { code: 8, bytes: undefined },
} as const;

export type Datatype = keyof typeof TABLE;

/** Every datatype that a Warmswap tensor can have. */
export const DATATYPES = Object.keys(TABLE) as readonly Datatype[];

/** ONNX's `TensorProto.DataType` of a datatype. */
export function onnxCode(datatype: Datatype): number {
  return TABLE[datatype].code;
}

/** Size of one element in bytes. Throws a TypeError for BYTES, whose elements have no fixed size. */
export function bytesPerElement(datatype: Datatype): number {
  const { bytes } = TABLE[datatype];
  if (bytes === undefined) throw new TypeError(`${datatype} elements have no fixed size`);
  return bytes;
}
