import type { Random } from '../support/random.js';
import { MsgpackWriter, Raw, type Value } from './msgpack-writer.js';
import { shiftParams, strangeParams } from './requests.js';

/** One frame, and what must come of it where that is certain. */
export interface Frame {
  bytes: Uint8Array;
  /** The request is right: it is answered with x + 1, unless the connection ends before. */
  expected?: { msgid: number; y: Float32Array };
}

const METHODS = ['infer', 'models', 'describe', 'subscribe', 'unsubscribe', 'ping', 'cancel'];
const STRANGE_METHODS: readonly Value[] = ['', 'nothing', '__proto__', 'constructor', 7, null];
const DEEP = 200;
/** Changed frames have lower msgids, so that no answer is taken for that to a right one. */
const RIGHT_MSGIDS = 0x8000_0000;

/** Makes frames from plain requests to bytes by chance. The same seed makes the same ones. */
export class FrameSource {
  readonly #writer: MsgpackWriter;

  /** `corpus` are frames to change. */
  constructor(
    private readonly random: Random,
    private readonly corpus: readonly Uint8Array[],
  ) {
    this.#writer = new MsgpackWriter(random);
  }

  /** Mostly a frame that leaves the connection open; `n` counts the connection's frames. */
  wellFormed(n: number): Frame {
    return this.random.once(4) ? this.#right(RIGHT_MSGIDS + n) : { bytes: this.#strange(n) };
  }

  /** Bytes that may be anything. */
  broken(n: number): Frame {
    const whole = this.random.once(2) ? this.#strange(n) : this.#fromCorpus();
    return { bytes: this.#spoilt(whole) };
  }

  #strange(msgid: number): Uint8Array {
    const method = this.random.once(8)
      ? (this.random.oneOf(STRANGE_METHODS) ?? '')
      : this.random.once(3)
        ? (this.random.oneOf(METHODS) ?? 'ping')
        : 'infer';
    const params = strangeParams(this.random);
    const message: Value = this.random.once(12)
      ? [2, typeof method === 'string' ? method : 'cancel', [params]]
      : [0, msgid, method, this.random.once(20) ? [params, params] : [params]];
    return this.#writer.write(message);
  }

  #right(msgid: number): Frame {
    const rows = 1 + this.random.below(3);
    const x = Float32Array.from({ length: 4 * rows }, () => this.random.below(1000));
    const bytes = this.#writer.write([0, msgid, 'infer', [shiftParams(x)]]);
    return { bytes, expected: { msgid, y: x.map((value) => value + 1) } };
  }

  #fromCorpus(): Uint8Array {
    return this.random.oneOf(this.corpus) ?? this.random.bytes(20);
  }

  #spoilt(bytes: Uint8Array): Uint8Array {
    switch (this.random.below(6)) {
      case 0:
        return bytes.subarray(0, this.random.below(bytes.length + 1));
      case 1:
        return Uint8Array.from([...bytes, ...this.random.bytes(1 + this.random.below(8))]);
      case 2:
        return this.random.bytes(this.random.below(64));
      case 3:
        return this.#deep();
      default:
        return this.#withOtherBytes(bytes);
    }
  }

  #withOtherBytes(bytes: Uint8Array): Uint8Array {
    const other = Uint8Array.from(bytes);
    for (let changes = 1 + this.random.below(4); changes > 0; changes--) {
      other[this.random.below(other.length)] = this.random.below(256);
    }
    return other;
  }

  /** Values in values, or a length that nothing follows. */
  #deep(): Uint8Array {
    const opening = this.random.oneOf([[0x91], [0x81, 0xa1, 0x78], [0xdd, 0x7f, 0xff, 0xff, 0xff]]);
    const depth = 1 + this.random.below(DEEP);
    const nested = new Raw(Uint8Array.from(Array<number[]>(depth).fill(opening).flat()));
    return this.#writer.write([0, 1, 'infer', [nested]]);
  }
}
