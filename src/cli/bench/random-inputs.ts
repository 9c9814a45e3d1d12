import { toBfloat16, toFloat16 } from '../../client/index.js';
import { DATATYPES, type Datatype, type Tensor, type TensorSignature } from '../../rpc/tensor.js';
import type { Shapes } from '../input-options.js';
import { UsageError } from '../usage-error.js';

/** Inputs that a model of this signature takes, of any seed, and always the same for one seed. */

type Random = () => number;

const MOST_BYTES = 256 * 2 ** 20;
const LETTERS = 'etaoinshrdlu';
const MOST_LETTERS = 12;
/** What an element of BYTES counts as. */
const TEXT_BYTES = 64;

/**
 * A free dimension is 1 unless `shapes` says otherwise. Floats are of [-1, 1), 8-bit integers any,
 * wider ones 0 or 1, which are indices of any table and bits of any mask; BYTES are short words.
 * Throws UsageError for more than 256 MiB.
 */
export function randomInputs(
  signature: readonly TensorSignature[],
  shapes: Shapes,
  seed: number,
): Record<string, Tensor> {
  const random = randomNumbers(seed);
  const tensors = signature.map((input) => [input.name, randomTensor(input, shapes, random)]);
  return Object.fromEntries(tensors) as Record<string, Tensor>;
}

function randomTensor(
  { name, datatype, shape: free }: TensorSignature,
  shapes: Shapes,
  random: Random,
): Tensor {
  const given = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  const shape = given ?? free.map((size) => (size < 0 ? 1 : size));
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = count * (DATATYPES[datatype] || TEXT_BYTES);
  if (bytes <= MOST_BYTES) return { datatype, shape, data: MAKERS[datatype](count, random) };
  throw new UsageError(
    `input '${name}': [${shape.join(', ')}] takes ${bytes} bytes; at most ${MOST_BYTES} are generated`,
  );
}

type Maker = (count: number, random: Random) => Tensor['data'];

const bit = (random: Random) => (random() < 0.5 ? 0 : 1);
const bits: Maker = (count, random) =>
  bytesOf(Uint8Array.from({ length: count }, () => bit(random)));
const floats = (count: number, random: Random) =>
  Float32Array.from({ length: count }, () => 2 * random() - 1);

/** Little-endian 0 or 1 of so many bytes. */
const wideBits =
  (size: number): Maker =>
  (count, random) => {
    const bytes = new Uint8Array(count * size);
    for (let i = 0; i < count; i++) bytes[i * size] = bit(random);
    return bytes;
  };
const anyByte: Maker = (count, random) =>
  Uint8Array.from({ length: count }, () => Math.floor(256 * random()));

const MAKERS: Readonly<Record<Datatype, Maker>> = {
  BOOL: bits,
  UINT8: anyByte,
  UINT16: wideBits(2),
  UINT32: wideBits(4),
  UINT64: wideBits(8),
  INT8: anyByte,
  INT16: wideBits(2),
  INT32: wideBits(4),
  INT64: wideBits(8),
  FP16: (count, random) => bytesOf(toFloat16(floats(count, random))),
  BF16: (count, random) => bytesOf(toBfloat16(floats(count, random))),
  FP32: (count, random) => bytesOf(floats(count, random)),
  FP64: (count, random) => bytesOf(Float64Array.from(floats(count, random))),
  BYTES: (count, random) => Array.from({ length: count }, () => word(random)),
};

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function word(random: Random): string {
  const length = 1 + Math.floor(MOST_LETTERS * random());
  const letter = () => LETTERS[Math.floor(LETTERS.length * random())];
  return Array.from({ length }, letter).join('');
}

/** Numbers of [0, 1): a 32-bit counter with a step that is no power of two, well mixed (mulberry32). */
function randomNumbers(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
