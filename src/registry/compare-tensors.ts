import { fromBf16, fromFp16 } from '../rpc/half-floats.js';
import { DATATYPES, describeTensor, type Datatype, type Tensor } from '../rpc/tensor.js';

/** How nearly two answers agree, and whether one has values that are no number. */

/** Floats agree within `absolute` + `relative` × |expected|; everything else only if it is equal. */
export interface Tolerance {
  relative: number;
  absolute: number;
}

export const ROUNDING: Tolerance = { relative: 1e-3, absolute: 1e-5 };

/** As far as an output is searched for NaN: it happens between two requests. */
const MOST_SEARCHED_BYTES = 4 * 2 ** 20;

/** How two tensors differ by more than the tolerance; nothing if they do not. */
export function difference(
  expected: Tensor,
  got: Tensor,
  tolerance: Tolerance = ROUNDING,
): string | undefined {
  if (expected.datatype !== got.datatype) {
    return `it is ${describeTensor(got)} instead of ${describeTensor(expected)}`;
  }
  if (expected.shape.join() !== got.shape.join()) {
    return `the shape is [${got.shape.join(', ')}] instead of [${expected.shape.join(', ')}]`;
  }
  const [before, after] = [elements(expected), elements(got)];
  const index = before.findIndex((value, i) => !isClose(value, after[i] as Element, tolerance));
  return index < 0 ? undefined : `element ${index} is ${after[index]} instead of ${before[index]}`;
}

/** Whether one of the values is NaN, as far as the first 4 MiB tell. */
export function hasNaN({ datatype, data }: Tensor): boolean {
  const isNaNAt = NAN_TESTS[datatype];
  if (!isNaNAt || !(data instanceof Uint8Array)) return false;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = Math.min(data.length, MOST_SEARCHED_BYTES);
  for (let at = 0; at < end; at += DATATYPES[datatype]) if (isNaNAt(view, at)) return true;
  return false;
}

type Element = number | bigint | string;

function isClose(expected: Element, got: Element, { relative, absolute }: Tolerance): boolean {
  if (Object.is(expected, got) || expected === got) return true;
  if (typeof expected !== 'number' || typeof got !== 'number' || !Number.isFinite(expected)) {
    return false;
  }
  return Math.abs(expected - got) <= absolute + relative * Math.abs(expected);
}

/** Floats as numbers, which may differ a little, integers as bigints, BYTES as text. */
function elements({ datatype, data }: Tensor): Element[] {
  if (!(data instanceof Uint8Array)) return data.map(text);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const size = DATATYPES[datatype];
  const read = READERS[datatype];
  return Array.from({ length: data.length / size }, (_, i) => read(view, i * size));
}

function text(element: Uint8Array | string): string {
  return typeof element === 'string' ? element : Buffer.from(element).toString();
}

type Read<T> = (view: DataView, at: number) => T;

const NAN_TESTS: Readonly<Partial<Record<Datatype, Read<boolean>>>> = {
  FP16: (view, at) => (view.getUint16(at, true) & 0x7fff) > 0x7c00,
  BF16: (view, at) => (view.getUint16(at, true) & 0x7fff) > 0x7f80,
  FP32: (view, at) => Number.isNaN(view.getFloat32(at, true)),
  FP64: (view, at) => Number.isNaN(view.getFloat64(at, true)),
};

const READERS: Readonly<Record<Datatype, Read<number | bigint>>> = {
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
