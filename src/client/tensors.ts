import { WarmswapError } from '../rpc/errors.js';
import { kindOf } from '../rpc/kind-of.js';
import { DATATYPES, isDatatype, type Datatype, type Tensor } from '../rpc/tensor.js';
import { isUnicode } from '../rpc/unicode.js';

/** Typed arrays in and out of tensors. Both sides of the wire are little-endian, as are all hosts. */

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** What a caller gives for an input. */
export interface InputTensor {
  data: TypedArray | readonly (Uint8Array | string)[];
  shape: readonly number[];
  /** Needed only where the array's class does not tell: BOOL in a Uint8Array, FP16 and BF16 bits in a Uint16Array. */
  datatype?: Datatype;
}

/** What a caller gets for an output. FP16 and BF16 are the bits, BOOL is 0 or 1, BYTES are bytes. */
export interface OutputTensor {
  datatype: Datatype;
  shape: readonly number[];
  data: TypedArray | Uint8Array[];
}

type TypedArrayClass = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
};

const ARRAY_CLASSES: Readonly<Record<Exclude<Datatype, 'BYTES'>, TypedArrayClass>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** The datatype that an array stands for when its caller names none. */
const OWN_DATATYPES: readonly Datatype[] = [
  ...(['FP32', 'FP64', 'INT8', 'INT16', 'INT32', 'INT64'] as const),
  ...(['UINT8', 'UINT16', 'UINT32', 'UINT64'] as const),
];

/** Throws INVALID_ARGUMENT for an array that is not one for the datatype, and for a text that UTF-8 cannot hold. */
export function toTensor({ data, shape, datatype = datatypeOf(data) }: InputTensor): Tensor {
  refuseUnknownDatatype(datatype);
  if (datatype === 'BYTES') {
    if (isElements(data)) {
      refuseHalfPairs(data);
      return { datatype, shape, data };
    }
  } else if (data instanceof ARRAY_CLASSES[datatype]) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { datatype, shape, data: bytes };
  }
  throw new WarmswapError('INVALID_ARGUMENT', `${datatype} needs ${wanted(datatype)}`);
}

function refuseUnknownDatatype(datatype: unknown): void {
  if (isDatatype(datatype)) return;
  const message = `datatype: expected ${Object.keys(DATATYPES).join(', ')}, got ${kindOf(datatype)}`;
  throw new WarmswapError('INVALID_ARGUMENT', message);
}

function datatypeOf(data: InputTensor['data']): Datatype {
  if (isElements(data)) return 'BYTES';
  const datatype = OWN_DATATYPES.find((name) => data instanceof ARRAY_CLASSES[name as 'FP32']);
  if (datatype) return datatype;
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    'data must be a typed array, or for BYTES an array of bytes or texts',
  );
}

function isElements(data: unknown): data is readonly (Uint8Array | string)[] {
  return (
    Array.isArray(data) &&
    data.every((item) => typeof item === 'string' || item instanceof Uint8Array)
  );
}

/** They would arrive as another text. */
function refuseHalfPairs(elements: readonly (Uint8Array | string)[]): void {
  const index = elements.findIndex((item) => typeof item === 'string' && !isUnicode(item));
  if (index < 0) return;
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `element ${index} is no Unicode text: half a pair of surrogates stands alone; give its bytes`,
  );
}

function wanted(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'an array of bytes or texts' : `a ${ARRAY_CLASSES[datatype].name}`;
}

/** The bytes are copied only where they are not aligned for their type. */
export function fromTensor(tensor: Tensor): OutputTensor {
  const { datatype, shape, data } = tensor;
  if (datatype === 'BYTES' || !(data instanceof Uint8Array)) {
    return { datatype, shape, data: data as Uint8Array[] };
  }
  const Class = ARRAY_CLASSES[datatype];
  const size = DATATYPES[datatype];
  const bytes = data.byteOffset % size === 0 ? data : new Uint8Array(data);
  return {
    datatype,
    shape,
    data: new Class(bytes.buffer, bytes.byteOffset, bytes.byteLength / size),
  };
}
