import { DATATYPES, type Datatype, type Tensor, type TensorSignature } from '../rpc/tensor.js';

/** Rows of input for the batch probe. */

/** 0, 1/2, -1/2 and 1: values that differ from row to row and overflow nowhere. */
const FP16_VALUES = [0x0000, 0x3800, 0xb800, 0x3c00];
const BF16_VALUES = [0x0000, 0x3f00, 0xbf00, 0x3f80];
const FLOAT_VALUES = [0, 0.5, -0.5, 1];

/**
 * One row of an input. Numbers differ from row to row; integers, which may be indices, are the row's
 * number. A free dimension other than the first is 1 unless `given` says otherwise.
 */
export function probeRow(
  input: TensorSignature,
  row: number,
  given: readonly number[] | undefined,
): Tensor {
  const inner = (given ?? input.shape).slice(1).map((size) => (size < 0 ? 1 : size));
  const count = inner.reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(count * DATATYPES[input.datatype]);
  const write = WRITERS[input.datatype];
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) write(view, i, row);
  return { datatype: input.datatype, shape: [1, ...inner], data: bytes };
}

/** The rows of several tensors, one after the other. But for the first dimension, their shapes are equal. */
export function joinRows(parts: readonly [Tensor, ...Tensor[]]): Tensor {
  const [first] = parts;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = Buffer.concat(parts.map((part) => part.data as Uint8Array));
  return { ...first, shape: [rows, ...first.shape.slice(1)], data };
}

/** Differs from row to row, for 2 and for 4 values, and from column to column. */
function mixed<T>(values: readonly T[], index: number, row: number): T {
  return values[(index + (index >> 2) + 3 * row) % values.length] as T;
}

type Write = (view: DataView, index: number, row: number) => void;

const WRITERS: Readonly<Record<Datatype, Write>> = {
  BOOL: (view, i, row) => view.setUint8(i, mixed([0, 1], i, row)),
  UINT8: (view, i, row) => view.setUint8(i, row),
  INT8: (view, i, row) => view.setInt8(i, row),
  UINT16: (view, i, row) => view.setUint16(2 * i, row, true),
  INT16: (view, i, row) => view.setInt16(2 * i, row, true),
  UINT32: (view, i, row) => view.setUint32(4 * i, row, true),
  INT32: (view, i, row) => view.setInt32(4 * i, row, true),
  UINT64: (view, i, row) => view.setBigUint64(8 * i, BigInt(row), true),
  INT64: (view, i, row) => view.setBigInt64(8 * i, BigInt(row), true),
  FP16: (view, i, row) => view.setUint16(2 * i, mixed(FP16_VALUES, i, row), true),
  BF16: (view, i, row) => view.setUint16(2 * i, mixed(BF16_VALUES, i, row), true),
  FP32: (view, i, row) => view.setFloat32(4 * i, mixed(FLOAT_VALUES, i, row), true),
  FP64: (view, i, row) => view.setFloat64(8 * i, mixed(FLOAT_VALUES, i, row), true),
  BYTES: () => {},
};
