/**
 * The structural check that every incoming frame passes before it is unpacked: one pass over the
 * bytes that makes no values. After it, unpacking cannot recurse deeply, cannot allocate more than
 * the frame's own size warrants, and meets no extension type and no hostile or repeated key.
 */

/** Thrown with the WebSocket close code that the frame's sender gets. */
export class FrameError extends Error {
  constructor(
    readonly closeCode: 1002 | 1003 | 1007 | 1009,
    message: string,
  ) {
    super(message);
    this.name = 'FrameError';
  }
}

const MAX_DEPTH = 16;
/** Values in one frame: room for the 2,000,000 elements of BYTES that an answer may have, and what stands around them. */
const MAX_VALUES = 2 ** 21;
/** Keys of all maps in one frame: a model has far fewer inputs, and big objects are slow to build. */
const MAX_KEYS = 65_536;
const MAX_KEY_BYTES = 65_535;
/** Above this many keys, repeated ones are found through a Set instead of pair by pair. */
const PAIRWISE_KEYS = 8;
const PROTO_KEY = '__proto__';
/** Shorter texts are looked at byte by byte first: most are ASCII. */
const LONG_TEXT_BYTES = 256;
/** From longer texts msgpackr may take a byte order mark. */
const MOST_MARKED_BYTES = 64;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const utf8 = new TextDecoder('utf-8', { fatal: true });

function malformed(message: string): FrameError {
  return new FrameError(1007, `not valid MessagePack: ${message}`);
}

/** What is wrong with a text, and at which byte it begins. */
export interface WrongText {
  at: number;
  problem: string;
}

/**
 * Throws a FrameError unless `bytes` is exactly one MessagePack value that is safe to unpack. Gives the
 * first text that unpacking would change, if there is one, though MessagePack itself allows it: it is no
 * UTF-8, or one that msgpackr, where its native part is missing, takes the byte order mark from.
 */
export function checkStructure(bytes: Uint8Array): WrongText | undefined {
  const reader = new StructureReader(bytes);
  reader.skipValue(0);
  if (reader.offset !== bytes.length) {
    throw malformed(`${bytes.length - reader.offset} bytes follow the value`);
  }
  return reader.wrongText;
}

class StructureReader {
  offset = 0;
  wrongText: WrongText | undefined;
  #values = 0;
  #keys = 0;

  constructor(private readonly bytes: Uint8Array) {}

  skipValue(depth: number): void {
    if (depth > MAX_DEPTH) throw malformed(`nested more than ${MAX_DEPTH} deep`);
    if (++this.#values > MAX_VALUES) throw malformed(`more than ${MAX_VALUES} values`);
    const type = this.#readUint(1);
    if (type <= 0x7f || type >= 0xe0) return;
    if (type <= 0x8f) return this.#skipMap(type & 0x0f, depth);
    if (type <= 0x9f) return this.#skipArray(type & 0x0f, depth);
    if (type <= 0xbf) return this.#skipText(type & 0x1f);
    this.#skipTyped(type, depth);
  }

  #skipTyped(type: number, depth: number): void {
    switch (type) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        return;
      case 0xc4: // bin 8, 16, 32
        return this.#skipBytes(this.#readUint(1));
      case 0xc5:
        return this.#skipBytes(this.#readUint(2));
      case 0xc6:
        return this.#skipBytes(this.#readUint(4));
      case 0xd9: // str 8, 16, 32
        return this.#skipText(this.#readUint(1));
      case 0xda:
        return this.#skipText(this.#readUint(2));
      case 0xdb:
        return this.#skipText(this.#readUint(4));
      case 0xcc: // uint 8, int 8
      case 0xd0:
        return this.#skipBytes(1);
      case 0xcd: // uint 16, int 16
      case 0xd1:
        return this.#skipBytes(2);
      case 0xca: // float 32
      case 0xce: // uint 32, int 32
      case 0xd2:
        return this.#skipBytes(4);
      case 0xcb: // float 64
      case 0xcf: // uint 64, int 64
      case 0xd3:
        return this.#skipBytes(8);
      case 0xdc:
        return this.#skipArray(this.#readUint(2), depth);
      case 0xdd:
        return this.#skipArray(this.#readUint(4), depth);
      case 0xde:
        return this.#skipMap(this.#readUint(2), depth);
      case 0xdf:
        return this.#skipMap(this.#readUint(4), depth);
      default:
        throw malformed(`type 0x${type.toString(16)} (extensions are not accepted)`);
    }
  }

  #readUint(size: 1 | 2 | 4): number {
    const end = this.offset + size;
    if (end > this.bytes.length) throw malformed('it ends in the middle of a value');
    let value = 0;
    for (; this.offset < end; this.offset++) {
      value = value * 256 + (this.bytes[this.offset] ?? 0);
    }
    return value;
  }

  #skipBytes(length: number): void {
    if (length > this.bytes.length - this.offset) {
      throw malformed('it ends in the middle of a value');
    }
    this.offset += length;
  }

  #skipText(length: number): void {
    const start = this.offset;
    this.#skipBytes(length);
    // One is enough to know: to decode a text in vain takes microseconds.
    if (this.wrongText) return;
    const problem = this.#problemOf({ start, end: this.offset });
    if (problem) this.wrongText = { at: start, problem };
  }

  #problemOf(text: TextRange): string | undefined {
    if (!this.#isUtf8(text)) return 'is not';
    if (text.end - text.start <= MOST_MARKED_BYTES || !this.#isMarked(text)) return undefined;
    return `has a byte order mark and more than ${MOST_MARKED_BYTES} bytes; send it as bin`;
  }

  #isMarked({ start }: TextRange): boolean {
    return BYTE_ORDER_MARK.every((byte, i) => this.bytes[start + i] === byte);
  }

  #skipArray(count: number, depth: number): void {
    if (count > this.bytes.length - this.offset) throw malformed('an array is cut off');
    for (let i = 0; i < count; i++) this.skipValue(depth + 1);
  }

  #skipMap(count: number, depth: number): void {
    if (count * 2 > this.bytes.length - this.offset) throw malformed('a map is cut off');
    if ((this.#keys += count) > MAX_KEYS) throw malformed(`more than ${MAX_KEYS} keys`);
    const keys: TextRange[] = [];
    for (let i = 0; i < count; i++) {
      keys.push(this.#skipKey());
      this.skipValue(depth + 1);
    }
    this.#refuseBadKeys(keys);
  }

  #skipKey(): TextRange {
    const type = this.#readUint(1);
    const length = this.#keyLength(type);
    if (length > MAX_KEY_BYTES) throw malformed(`a key of more than ${MAX_KEY_BYTES} bytes`);
    const start = this.offset;
    this.#skipText(length);
    return { start, end: this.offset };
  }

  #keyLength(type: number): number {
    if (type >= 0xa0 && type <= 0xbf) return type & 0x1f;
    if (type === 0xd9) return this.#readUint(1);
    if (type === 0xda) return this.#readUint(2);
    if (type === 0xdb) return this.#readUint(4);
    throw malformed('a key of a map is not a string');
  }

  #refuseBadKeys(keys: readonly TextRange[]): void {
    if (keys.some((key) => this.#isProto(key))) throw malformed(`the key ${PROTO_KEY}`);
    if (this.#hasRepeats(keys)) throw malformed('a key of a map is repeated');
  }

  #hasRepeats(keys: readonly TextRange[]): boolean {
    if (keys.length > PAIRWISE_KEYS) {
      return new Set(keys.map((key) => this.#text(key))).size < keys.length;
    }
    for (let i = 1; i < keys.length; i++) {
      for (let j = 0; j < i; j++) {
        if (this.#sameBytes(keys[i] as TextRange, keys[j] as TextRange)) return true;
      }
    }
    return false;
  }

  #isProto(key: TextRange): boolean {
    return key.end - key.start === PROTO_KEY.length && this.#text(key) === PROTO_KEY;
  }

  #isUtf8({ start, end }: TextRange): boolean {
    let i = start;
    const isLong = end - start > LONG_TEXT_BYTES;
    while (!isLong && i < end && (this.bytes[i] ?? 0) < 0x80) i++;
    if (i === end) return true;
    try {
      utf8.decode(this.bytes.subarray(i, end));
      return true;
    } catch {
      return false;
    }
  }

  /** One character a byte: equal exactly if the bytes are equal. */
  #text({ start, end }: TextRange): string {
    return String.fromCharCode(...this.bytes.subarray(start, end));
  }

  #sameBytes(a: TextRange, b: TextRange): boolean {
    if (a.end - a.start !== b.end - b.start) return false;
    for (let i = a.start, j = b.start; i < a.end; i++, j++) {
      if (this.bytes[i] !== this.bytes[j]) return false;
    }
    return true;
  }
}

interface TextRange {
  start: number;
  end: number;
}
