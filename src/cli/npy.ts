import { DATATYPES, type Datatype, type Tensor } from '../rpc/tensor.js';

/** NumPy's file format for one array, versions 1 to 3; little-endian and in C order alone. */

/** A tensor of fixed-size elements. */
export interface NpyArray extends Tensor {
  data: Uint8Array;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** The header ends at a multiple of this, so that the data can be mapped. */
const ALIGNMENT = 64;
/** Elements of one byte have no byte order. */
const DTYPES: ReadonlyMap<string, Datatype> = new Map([
  ['|b1', 'BOOL'],
  ['|u1', 'UINT8'],
  ['<u2', 'UINT16'],
  ['<u4', 'UINT32'],
  ['<u8', 'UINT64'],
  ['|i1', 'INT8'],
  ['<i2', 'INT16'],
  ['<i4', 'INT32'],
  ['<i8', 'INT64'],
  ['<f2', 'FP16'],
  // NumPy has no bfloat16 of its own; the package ml_dtypes writes two bytes without a meaning.
  ['<V2', 'BF16'],
  ['<f4', 'FP32'],
  ['<f8', 'FP64'],
]);

/** Reads a file's bytes; the data are a view on them. Throws an Error that says what was expected. */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { text, end } = readHeader(file);
  const datatype = toDatatype(text);
  if (!/'fortran_order':\s*False\b/.test(text)) {
    throw new Error('expected C order, got Fortran order: save numpy.ascontiguousarray(array)');
  }
  const shape = toShape(text);
  const wanted = shape.reduce((product, size) => product * size, DATATYPES[datatype]);
  const data = file.subarray(end);
  if (data.length === wanted) return { datatype, shape, data };
  throw new Error(
    `expected ${wanted} bytes of data for ${datatype} [${shape.join(', ')}], got ${data.length}`,
  );
}

/** The bytes of a file that holds this tensor. Throws an Error for BYTES, which have no fixed size. */
export function formatNpy({ datatype, shape, data }: Tensor): Buffer {
  const [dtype] = [...DTYPES].find(([, each]) => each === datatype) ?? [];
  if (dtype === undefined || !(data instanceof Uint8Array)) {
    throw new Error(`.npy does not hold ${datatype}; use --json`);
  }
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${sizes}), }`;
  return Buffer.concat([header(text), data]);
}

function readHeader(file: Buffer): { text: string; end: number } {
  if (file.length < 12 || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error('expected a file of NumPy (.npy), got something else');
  }
  const version = file.readUInt8(6);
  if (version < 1 || version > 3) throw new Error(`expected .npy version 1 to 3, got ${version}`);
  const start = version === 1 ? 10 : 12;
  const end = start + (version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8));
  if (end > file.length) throw new Error('the file ends within its header');
  return { text: file.toString('latin1', start, end), end };
}

function toDatatype(text: string): Datatype {
  const dtype = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const datatype = dtype === undefined ? undefined : DTYPES.get(normalised(dtype));
  if (datatype) return datatype;
  const got = dtype === undefined ? 'a structured one' : `'${dtype}'`;
  throw new Error(`expected a dtype of ${[...DTYPES.keys()].join(', ')}, got ${got}`);
}

/** Writers differ in what they say of bytes that have no order. */
function normalised(dtype: string): string {
  if (dtype === '|V2') return '<V2';
  return /^[<>=][bui]1$/.test(dtype) ? `|${dtype.slice(1)}` : dtype;
}

function toShape(text: string): number[] {
  const sizes = /'shape':\s*\(([\d, ]*)\)/.exec(text)?.[1];
  if (sizes === undefined) throw new Error('the header has no shape');
  return sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
}

/** The shortest version 1 header that ends where it should; a shape of any use fits its 64 KiB. */
function header(text: string): Buffer {
  const start = MAGIC.length + 4;
  const length = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT - start;
  const fields = Buffer.from([1, 0, length & 0xff, length >> 8]);
  return Buffer.concat([MAGIC, fields, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}
