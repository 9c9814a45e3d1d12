import type { Packr } from 'msgpackr';

/** Bytes from this length on are a piece of their own: a copy of fewer is cheaper than that. */
const APART_BYTES = 64 * 1024;
/** Values with less in them are packed as one. */
const LEAST_BYTES = 1024 * 1024;
/** Elements of a long array are packed together up to so many bytes. */
const GROUP_BYTES = 256 * 1024;
/** What an element takes beside its own bytes; a guess. */
const ELEMENT_BYTES = 8;

/**
 * The MessagePack of a value: whole, or, where there is much in it, as pieces that belong behind one
 * another. Big binary values are pieces as they are, and long arrays are packed piece by piece, so that no
 * copy of all of it is made.
 */
export function packInPieces(packr: Packr, value: unknown): Uint8Array | Uint8Array[] {
  if (sizeOf(value) < LEAST_BYTES) return packr.pack(value);
  const pieces = new Pieces(packr);
  pieces.add(value);
  return pieces.end();
}

/** About what a value takes; exact enough where that is much. */
function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength + ELEMENT_BYTES;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + sizeOf(item), 0);
  if (isMap(value)) return sizeOf(Object.values(value));
  return typeof value === 'string' ? value.length : ELEMENT_BYTES;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

class Pieces {
  readonly #pieces: Uint8Array[] = [];
  /** Packed, and not part of a piece yet. */
  #small: Uint8Array[] = [];
  #smallBytes = 0;

  constructor(private readonly packr: Packr) {}

  add(value: unknown): void {
    if (value instanceof Uint8Array) this.#addBytes(value);
    else if (Array.isArray(value)) this.#addArray(value);
    else if (isMap(value)) this.#addMap(value);
    else this.#addSmall(this.packr.pack(value));
  }

  end(): Uint8Array[] {
    this.#endSmall();
    return this.#pieces;
  }

  #addBytes(bytes: Uint8Array): void {
    if (bytes.byteLength < APART_BYTES) return this.#addSmall(this.packr.pack(bytes));
    this.#addSmall(header({ 2: 0xc5, 4: 0xc6 }, bytes.byteLength));
    this.#endSmall();
    this.#pieces.push(bytes);
  }

  #addMap(map: Readonly<Record<string, unknown>>): void {
    const entries = Object.entries(map);
    this.#addSmall(header({ fixed: 0x80, 2: 0xde, 4: 0xdf }, entries.length));
    for (const [key, value] of entries) {
      this.#addSmall(this.packr.pack(key));
      this.add(value);
    }
  }

  #addArray(values: readonly unknown[]): void {
    this.#addSmall(arrayHeader(values.length));
    let at = 0;
    while (at < values.length) {
      const end = endOfGroup(values, at);
      if (end === at) this.add(values[at++]);
      else this.#addGroup(values.slice(at, (at = end)));
    }
  }

  /** Packed by one call: one for each value would take far longer. */
  #addGroup(values: readonly unknown[]): void {
    this.#addSmall(this.packr.pack(values).subarray(arrayHeader(values.length).length));
  }

  #addSmall(packed: Uint8Array): void {
    this.#small.push(packed);
    this.#smallBytes += packed.byteLength;
    if (this.#smallBytes >= GROUP_BYTES) this.#endSmall();
  }

  #endSmall(): void {
    if (this.#smallBytes > 0) this.#pieces.push(joined(this.#small, this.#smallBytes));
    this.#small = [];
    this.#smallBytes = 0;
  }
}

/** Behind the values from `start` on that are small and go together; `start` where that one is not small. */
function endOfGroup(values: readonly unknown[], start: number): number {
  let end = start;
  for (let bytes = 0; end < values.length && bytes < GROUP_BYTES; end++) {
    const size = sizeOf(values[end]);
    if (size >= APART_BYTES) break;
    bytes += size;
  }
  return end;
}

function arrayHeader(count: number): Uint8Array {
  return header({ fixed: 0x90, 2: 0xdc, 4: 0xdd }, count);
}

/** The type byte and the length behind it, of 2 or 4 bytes; `fixed` holds lengths below 16 itself. */
function header(types: { fixed?: number; 2: number; 4: number }, length: number): Uint8Array {
  if (types.fixed !== undefined && length < 16) return Uint8Array.of(types.fixed | length);
  const isShort = length < 0x1_0000;
  const bytes = new Uint8Array(isShort ? 3 : 5);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, isShort ? types[2] : types[4]);
  if (isShort) view.setUint16(1, length);
  else view.setUint32(1, length);
  return bytes;
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
