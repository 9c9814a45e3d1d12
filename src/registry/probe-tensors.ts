import { fromBf16, fromFp16 } from '../rpc/half-floats.js';
import { DATATYPES, type Datatype, type Tensor, type TensorSignature } from '../rpc/tensor.js';

/** Rows of input for the batch probe, and how nearly its answers must agree. */

/** 0, 1/2, -1/2 and 1: values that differ from row to row and overflow nowhere. */
const FP16_VALUES = [0x0000, 0x3800, 0xb800, 0x3c00];
const BF16_VALUES = [0x0000, 0x3f00, 0xbf00, 0x3f80];
const FLOAT_VALUES = [0, 0.5, -0.5, 1];

const RELATIVE_TOLERANCE = 1e-3;
const ABSOLUTE_TOLERANCE = 1e-5;

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

/** How two tensors differ by more than rounding; nothing if they do not. */
export function difference(expected: Tensor, got: Tensor): string | undefined {
  if (expected.shape.join() !== got.shape.join()) {
    return `the shape is [${got.shape.join(', ')}] instead of [${expected.shape.join(', ')}]`;
  }
  const [before, after] = [numbers(expected), numbers(got)];
  const index = before.findIndex((value, i) => !isClose(value, after[i] as number | bigint));
  return index < 0 ? undefined : `element ${index} is ${after[index]} instead of ${before[index]}`;
}

function isClose(expected: number | bigint, got: number | bigint): boolean {
  if (Object.is(expected, got) || expected === got) return true;
  if (typeof expected === 'bigint' || typeof got === 'bigint' || !Number.isFinite(expected)) {
    return false;
  }
  const distance = Math.abs(expected - got);
  return distance <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * Math.abs(expected);
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

/** The elements: floats as numbers, which may differ a little, integers as bigints. */
function numbers({ datatype, data }: Tensor): (number | bigint)[] {
  const bytes = data as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = DATATYPES[datatype];
  const read = READERS[datatype];
  return Array.from({ length: bytes.length / size }, (_, i) => read(view, i * size));
}

const READERS: Readonly<Record<Datatype, (view: DataView, at: number) => number | bigint>> = {
  BOOL: (view, at) => BigInt(view.getUint8(at)),
  UINT8: (view, at) => BigInt(view.getUint8(at)),
  INT8: (view, at) => BigInt(view.getInt8(at)),
  UINT16: (view, at) => BigInt(view.getUint16(at, true)),
  INT16: (view, at) => BigInt(view.getInt16(at, true)),
  UINT32: (view, at) => BigInt(view.getUint32(at, true)),
  INT32: (view, at) => BigInt(view.getInt32(at, true)),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => fromFp16(view.getUint16(at, true)),
  BF16: (view, at) => fromBf16(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
  BYTES: () => 0,
};
