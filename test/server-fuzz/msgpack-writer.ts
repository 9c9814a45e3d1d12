import type { Random } from '../support/random.js';

/** A value to write: plain data, or bytes that stand for themselves. */
export type Value =
  null | boolean | number | bigint | string | Uint8Array | Raw | readonly Value[] | Pairs;

/** Members of a map in their order; names may come twice. */
export class Pairs {
  constructor(readonly members: readonly (readonly [Value, Value])[]) {}
}

/** Bytes that are written as they are. */
export class Raw {
  constructor(readonly bytes: Uint8Array) {}
}

export function pairs(members: Readonly<Record<string, Value>>): Pairs {
  return new Pairs(Object.entries(members));
}

/** Of unsigned integers of 8 to 64 bits. */
const MAXIMA = [8n, 16n, 32n, 64n].map((bits) => 2n ** bits - 1n);
const TEXT = new TextEncoder();

/** Writes MessagePack; lengths and integers in any of the widths that hold them, as writers are free to. */
export class MsgpackWriter {
  #bytes: number[] = [];

  constructor(private readonly random: Random) {}

  write(value: Value): Uint8Array {
    this.#bytes = [];
    this.#value(value);
    return Uint8Array.from(this.#bytes);
  }

  #value(value: Value): void {
    if (value === null) this.#bytes.push(0xc0);
    else if (typeof value === 'boolean') this.#bytes.push(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#wide(value);
    else if (typeof value === 'string') this.#text(TEXT.encode(value));
    else if (value instanceof Raw) this.#append(value.bytes);
    else if (value instanceof Pairs) this.#map(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else this.#array(value);
  }

  #append(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  #number(value: number): void {
    if (!Number.isInteger(value)) return this.#double(value);
    if (value >= 0 && value < 128 && !this.random.once(8)) this.#bytes.push(value);
    else if (value < 0 && value >= -32 && !this.random.once(8)) this.#bytes.push(value & 0xff);
    else if (Number.isSafeInteger(value)) this.#wide(BigInt(value));
    else this.#double(value);
  }

  #double(value: number): void {
    const view = new DataView(new ArrayBuffer(9));
    view.setUint8(0, 0xcb);
    view.setFloat64(1, value);
    this.#append(new Uint8Array(view.buffer));
  }

  /** In a width that holds it, often not the smallest one. */
  #wide(value: bigint): void {
    const first = value < 0n ? 0xd0 : 0xcc;
    const magnitude = value < 0n ? 2n * (-value - 1n) + 1n : value;
    const smallest = MAXIMA.findIndex((max) => magnitude <= max);
    const width = smallest + this.random.below(4 - smallest);
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt.asUintN(64, value));
    this.#bytes.push(first + width);
    this.#append(new Uint8Array(view.buffer, 8 - (1 << width)));
  }

  #text(bytes: Uint8Array): void {
    if (bytes.length < 32 && !this.random.once(8)) this.#bytes.push(0xa0 | bytes.length);
    else this.#length(bytes.length, [0xd9, 0xda, 0xdb]);
    this.#append(bytes);
  }

  #binary(bytes: Uint8Array): void {
    this.#length(bytes.length, [0xc4, 0xc5, 0xc6]);
    this.#append(bytes);
  }

  #array(values: readonly Value[]): void {
    if (values.length < 16 && !this.random.once(8)) this.#bytes.push(0x90 | values.length);
    else this.#length(values.length, [undefined, 0xdc, 0xdd]);
    for (const value of values) this.#value(value);
  }

  #map({ members }: Pairs): void {
    if (members.length < 16 && !this.random.once(8)) this.#bytes.push(0x80 | members.length);
    else this.#length(members.length, [undefined, 0xde, 0xdf]);
    for (const [key, value] of members) {
      this.#value(key);
      this.#value(value);
    }
  }

  /** `types` are those of lengths of 1, 2 and 4 bytes. */
  #length(length: number, types: readonly (number | undefined)[]): void {
    const fits = types.flatMap((type, width) =>
      type === undefined || length >= 2 ** (8 << width) ? [] : [{ type, width }],
    );
    const { type, width } = this.random.oneOf(fits) ?? { type: 0xc1, width: 0 };
    this.#bytes.push(type);
    for (let byte = (1 << width) - 1; byte >= 0; byte--)
      this.#bytes.push((length >>> (8 * byte)) & 0xff);
  }
}
