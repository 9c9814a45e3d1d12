import type { TensorSignature } from '../client/index.js';

/** More elements are for a file. */
const MOST_ELEMENTS = 8;

/** What `--input` may be given for such an input, as `x=1,2,3,4`. Free dimensions are 1. */
export function inputExample({ name, datatype, shape }: TensorSignature): string {
  const isText = datatype === 'BYTES';
  const sizes = shape.map((size) => (size < 0 ? 1 : size));
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count === 0 || count > MOST_ELEMENTS) return `${name}=@${name}.${isText ? 'json' : 'npy'}`;
  const indexes = Array.from({ length: count }, (_, index) => index);
  const value = isText ? textsOf(indexes) : numbersOf(indexes, datatype === 'BOOL').join(',');
  const isClear = shape.filter((size) => size < 0).length <= 1;
  return `${name}=${value}${isClear ? '' : ` --shape ${name}=${sizes.join(',')}`}`;
}

function textsOf(indexes: readonly number[]): string {
  const texts = indexes.map((index) => `"${String.fromCharCode('a'.charCodeAt(0) + index)}"`);
  return `'[${texts.join(', ')}]'`;
}

function numbersOf(indexes: readonly number[], isBool: boolean): number[] {
  return indexes.map((index) => (isBool ? (index + 1) % 2 : index + 1));
}
