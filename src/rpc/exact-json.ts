import { WarmswapError } from './errors.js';

/**
 * JSON (RFC 8259) from bytes that nobody vouches for, in one pass. Unlike JSON.parse it keeps the
 * integers of 64 bits exactly, refuses repeated keys, and bounds depth and memory.
 */

/** Integers beyond 2^53 are bigint, objects have no prototype. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const MOST_DEPTH = 32;
/** Strings, keys, arrays and objects, which take far more memory than the byte or two they are written with. */
export const MOST_OBJECTS = 2 ** 20;
/** Numbers, booleans and nulls: reading so many takes most of a second, in which nothing else is done. */
export const MOST_SCALARS = 2 ** 22;
/** Longer integers fit no datatype; they are read as floats. */
const MOST_BIGINT_LENGTH = 21;
/** So many digits are exact, whatever they are. */
const EXACT_DIGITS = 15;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws INVALID_ARGUMENT, telling what was expected and at which byte. */
export function parseExactJson(bytes: Uint8Array): Json {
  const { buffer, byteOffset, byteLength } = bytes;
  return new Parser(Buffer.from(buffer, byteOffset, byteLength)).document();
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const END = -1;

class Parser {
  #at = 0;
  #objects = 0;
  #scalars = 0;

  constructor(private readonly bytes: Buffer) {}

  document(): Json {
    const value = this.#value(0);
    if (this.#next() !== END) throw this.#expected('nothing after the document');
    return value;
  }

  #value(depth: number): Json {
    switch (this.#next()) {
      case QUOTE:
        return this.#string();
      case OPEN_ARRAY:
        return this.#array(depth + 1);
      case OPEN_OBJECT:
        return this.#object(depth + 1);
      default:
        return this.#scalar();
    }
  }

  #array(depth: number): Json[] {
    this.#open(depth);
    const values: Json[] = [];
    if (this.#skipIf(CLOSE_ARRAY)) return values;
    do values.push(this.#value(depth));
    while (this.#skipIf(COMMA));
    if (!this.#skipIf(CLOSE_ARRAY)) throw this.#expected("',' or ']'");
    return values;
  }

  #object(depth: number): JsonObject {
    this.#open(depth);
    const fields = Object.create(null) as Record<string, Json>;
    if (this.#skipIf(CLOSE_OBJECT)) return fields;
    do {
      const key = this.#key(fields);
      fields[key] = this.#value(depth);
    } while (this.#skipIf(COMMA));
    if (!this.#skipIf(CLOSE_OBJECT)) throw this.#expected("',' or '}'");
    return fields;
  }

  #open(depth: number): void {
    if (depth > MOST_DEPTH) throw this.#expected(`at most ${MOST_DEPTH} levels`);
    this.#countObject();
    this.#at++;
  }

  #key(fields: JsonObject): string {
    if (this.#next() !== QUOTE) throw this.#expected('a key in quotes');
    const key = this.#string();
    if (key === '__proto__') throw this.#expected('no key __proto__');
    if (key in fields) throw this.#expected(`the key '${key.slice(0, 64)}' once`);
    if (!this.#skipIf(COLON)) throw this.#expected("':'");
    return key;
  }

  #string(): string {
    this.#countObject();
    const start = this.#at;
    let isPlain = true;
    for (let i = start + 1; ; i++) {
      const byte = this.bytes[i] ?? END;
      if (byte === QUOTE) {
        this.#at = i + 1;
        return isPlain ? this.bytes.toString('latin1', start + 1, i) : this.#decode(start);
      }
      if (byte < 0x20) throw this.#expected('a closing quote, and control characters escaped', i);
      if (byte === BACKSLASH) i++;
      if (byte === BACKSLASH || byte >= 0x80) isPlain = false;
    }
  }

  /** The string from `start` to here, its quotes included. */
  #decode(start: number): string {
    try {
      return JSON.parse(utf8.decode(this.bytes.subarray(start, this.#at))) as string;
    } catch {
      throw this.#expected('a string in UTF-8 with valid escapes', start);
    }
  }

  #scalar(): Json {
    if (++this.#scalars > MOST_SCALARS) throw this.#expected(`at most ${MOST_SCALARS} numbers`);
    const byte = this.bytes[this.#at] ?? END;
    if (byte === MINUS || isDigit(byte)) return this.#number();
    if (this.#skipWord('true')) return true;
    if (this.#skipWord('false')) return false;
    if (this.#skipWord('null')) return null;
    throw this.#expected('a value');
  }

  #skipWord(word: string): boolean {
    if (this.bytes.toString('latin1', this.#at, this.#at + word.length) !== word) return false;
    this.#at += word.length;
    return true;
  }

  #number(): number | bigint {
    const start = this.#at;
    const isNegative = this.bytes[start] === MINUS;
    if (isNegative) this.#at++;
    const digitsStart = this.#at;
    const magnitude = this.#digits();
    const length = this.#at - digitsStart;
    if (length > 1 && this.bytes[digitsStart] === 0x30) {
      throw this.#expected('no leading zero', digitsStart);
    }
    if (this.#skipFraction()) return Number(this.bytes.toString('latin1', start, this.#at));
    if (length <= EXACT_DIGITS) return isNegative ? -magnitude : magnitude;
    return longInteger(this.bytes.toString('latin1', start, this.#at));
  }

  /** Their value, exact up to 15 of them. */
  #digits(): number {
    const start = this.#at;
    let value = 0;
    let byte = this.bytes[start] ?? END;
    while (isDigit(byte)) {
      value = value * 10 + (byte - 0x30);
      byte = this.bytes[++this.#at] ?? END;
    }
    if (this.#at === start) throw this.#expected('a digit');
    return value;
  }

  /** Skips fraction and exponent; whether there is one. */
  #skipFraction(): boolean {
    const start = this.#at;
    if (this.bytes[this.#at] === DOT) {
      this.#at++;
      this.#digits();
    }
    if (((this.bytes[this.#at] ?? 0) | 0x20) === 0x65) {
      const sign = this.bytes[++this.#at];
      if (sign === MINUS || sign === 0x2b) this.#at++;
      this.#digits();
    }
    return this.#at > start;
  }

  /** The next byte that is no white space, which is not skipped. */
  #next(): number {
    for (;;) {
      const byte = this.bytes[this.#at] ?? END;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at++;
    }
  }

  #skipIf(byte: number): boolean {
    if (this.#next() !== byte) return false;
    this.#at++;
    return true;
  }

  #countObject(): void {
    if (++this.#objects > MOST_OBJECTS) {
      throw this.#expected(`at most ${MOST_OBJECTS} texts, arrays and objects`);
    }
  }

  #expected(what: string, at = this.#at): WarmswapError {
    const byte = this.bytes[at];
    const got = byte === undefined ? 'the end' : describeByte(byte);
    return new WarmswapError(
      'INVALID_ARGUMENT',
      `not valid JSON: expected ${what} at byte ${at}, got ${got}`,
    );
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function longInteger(text: string): number | bigint {
  const rounded = Number(text);
  return Number.isSafeInteger(rounded) || text.length > MOST_BIGINT_LENGTH ? rounded : BigInt(text);
}

function describeByte(byte: number): string {
  const isPrintable = byte > 0x20 && byte < 0x7f;
  return isPrintable ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16).padStart(2, '0')}`;
}
