import { WarmswapError } from '../../rpc/errors.js';

/** BYTES in the binary extension: each element after its length, 4 bytes little-endian. */

const LENGTH_BYTES = 4;
/** More elements take far more memory than the lengths they are written with. */
export const MOST_BYTES_ELEMENTS = 2 ** 20;

/** The elements, as views on `data`. Throws INVALID_ARGUMENT where lengths and data disagree. */
export function splitElements(data: Uint8Array): Uint8Array[] {
  const count = countElements(data);
  if (count > MOST_BYTES_ELEMENTS) {
    throw invalid(`at most ${MOST_BYTES_ELEMENTS} elements`, `${count}`);
  }
  const view = viewOf(data);
  let at = 0;
  return Array.from({ length: count }, () => {
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at, true);
    return data.subarray(start, at);
  });
}

/** How many there are; makes none, so that a wrong or huge tensor costs no memory. */
export function countElements(data: Uint8Array): number {
  const view = viewOf(data);
  let count = 0;
  for (let at = 0; at < data.length; count++) {
    const left = data.length - at - LENGTH_BYTES;
    if (left < 0) throw invalid(`a length of ${LENGTH_BYTES} bytes`, `${left + LENGTH_BYTES}`);
    const length = view.getUint32(at, true);
    if (length > left) throw invalid(`an element of ${length} bytes`, `${left}`);
    at += LENGTH_BYTES + length;
  }
  return count;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export function joinElements(elements: readonly (Uint8Array | string)[]): Uint8Array {
  const parts = elements.map((each) => (typeof each === 'string' ? Buffer.from(each) : each));
  const length = parts.reduce((sum, part) => sum + LENGTH_BYTES + part.length, 0);
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, whole.writeUInt32LE(part.length, at));
    at += LENGTH_BYTES + part.length;
  }
  return whole;
}

function invalid(expected: string, got: string): WarmswapError {
  return new WarmswapError('INVALID_ARGUMENT', `BYTES: expected ${expected}, got ${got}`);
}
