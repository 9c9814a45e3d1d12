import { anyFrame } from './any-frame.js';
import { MsgpackWriter, Raw, pairs, type Value } from './msgpack-writer.js';
import { type Chance, MODELS, shiftParams, strangeParams } from './requests.js';

/** One frame, and what must come of it. */
export interface Frame {
  bytes: Uint8Array;
  /** Of the request that it surely is: one answer comes to it unless the connection is closed. */
  msgid?: number;
  /** The request is right, and this tells whether the result of its answer is so, too. */
  isRight?: (result: unknown) => boolean;
  /** Another frame of the batch may cancel it. */
  mayBeCancelled?: boolean;
  /** It may be anything: there may be one answer to any msgid. */
  isUncertain?: boolean;
  /** Only such a frame may close the connection. */
  mayEnd?: boolean;
}

const METHODS = ['models', 'describe', 'subscribe', 'unsubscribe', 'ping', 'cancel'] as const;
const STRANGE_METHODS = ['', 'nothing', '__proto__', 'constructor'] as const;
/** No method is one of these, not even an unknown one. */
const NO_METHODS: readonly [Value, ...Value[]] = [7, null, [], true];
/** One in so many frames is broken, which mostly ends its connection. */
const BROKEN_ONE_IN = 80;
const DEEP = 200;
const MOST_FRAMES = 200;
/** More than a connection may have in flight. */
const FLOOD_FRAMES = 400;
const FLOOD_ONE_IN = 200;
/** Changed frames have lower msgids and cancel lower ones, so that they have nothing to do with right ones. */
const RIGHT_MSGIDS = 0x9000_0000;

/** Makes frames from plain requests to bytes by chance. The same seed makes the same ones. */
export class FrameSource {
  readonly #writer: MsgpackWriter;

  /** `corpus` are frames to change. */
  constructor(
    private readonly random: Chance,
    private readonly corpus: readonly Uint8Array[],
  ) {
    this.#writer = new MsgpackWriter(random);
  }

  /** Frames for one connection: what may close it comes last, so that the others are read. */
  batch(): Frame[] {
    if (this.random.once(FLOOD_ONE_IN)) return this.#flood();
    const length = 1 + this.random.below(MOST_FRAMES);
    const frames: Frame[] = [];
    while (frames.length < length && !frames.at(-1)?.mayEnd) frames.push(...this.#some(frames));
    return frames;
  }

  /** Right frames, whose answers are known. */
  rightOnes(): [Frame, Frame] {
    return [this.#inferRight(RIGHT_MSGIDS), this.#pingRight(RIGHT_MSGIDS + 1)];
  }

  /** A `ping` with a msgid that no other frame has. */
  end(): Frame {
    return this.#pingRight(0xffff_ffff);
  }

  #flood(): Frame[] {
    return Array.from({ length: FLOOD_FRAMES }, (_, n) => this.#inferRight(RIGHT_MSGIDS + n));
  }

  #some(before: readonly Frame[]): Frame[] {
    const n = before.length;
    if (this.random.once(BROKEN_ONE_IN)) return [this.#broken(n)];
    if (this.random.once(3)) return [this.#right(RIGHT_MSGIDS + n)];
    return this.random.once(30) ? this.#cancelled(RIGHT_MSGIDS + n) : [this.#strange(n)];
  }

  /** Bytes that may be anything. */
  #broken(n: number): Frame {
    const bytes = this.random.oneOf([
      () => this.#strange(n).bytes,
      () => this.#inferRight(n).bytes,
      () => this.random.oneOf(this.corpus) ?? this.random.bytes(20),
    ])();
    return anyFrame(this.#spoilt(bytes));
  }

  #strange(msgid: number): Frame {
    this.random.startFrame();
    const isMethod = !this.random.once(100);
    const known = this.#method();
    const method: Value = isMethod ? known : this.random.oneOf(NO_METHODS);
    const params = strangeParams(known, this.random);
    const isRequest = known === 'cancel' ? this.random.once(8) : !this.random.once(12);
    const message: Value = isRequest
      ? [0, msgid, method, this.random.once(20) ? [params, params] : [params]]
      : [2, method, [params]];
    const bytes = this.#writer.write(message);
    const mayEnd = this.random.mayEnd || !isMethod;
    return { bytes, mayEnd, ...(isRequest && { msgid }) };
  }

  #method(): string {
    if (this.random.once(10)) return this.random.oneOf(STRANGE_METHODS);
    return this.random.once(3) ? this.random.oneOf(METHODS) : 'infer';
  }

  #right(msgid: number): Frame {
    switch (this.random.below(12)) {
      case 0:
        return this.#pingRight(msgid);
      case 1:
        return this.#request(msgid, 'models', [pairs({})], isListing);
      case 2:
        return this.#describeRight(msgid);
      default:
        return this.#inferRight(msgid);
    }
  }

  #inferRight(msgid: number): Frame {
    const rows = 1 + this.random.below(3);
    const x = Float32Array.from({ length: 4 * rows }, () => this.random.below(1000));
    const y = Buffer.from(x.map((value) => value + 1).buffer);
    return this.#request(msgid, 'infer', [shiftParams(x)], (result) => {
      const data = (result as InferResult | null)?.outputs?.y?.data;
      return data !== undefined && y.equals(data);
    });
  }

  #pingRight(msgid: number): Frame {
    const sent = this.random.below(2 ** 31);
    return this.#request(msgid, 'ping', [sent], (result) => Number(result) === sent);
  }

  #describeRight(msgid: number): Frame {
    const model = this.random.oneOf(MODELS);
    return this.#request(msgid, 'describe', [pairs({ model })], (result) => {
      const { name, version } = result as { name?: unknown; version?: unknown };
      return name === model && version === 1;
    });
  }

  /** A right request, and a notification that cancels it if it still runs. */
  #cancelled(msgid: number): Frame[] {
    const cancel = this.#writer.write([2, 'cancel', [pairs({ msgid })]]);
    return [{ ...this.#inferRight(msgid), mayBeCancelled: true }, { bytes: cancel }];
  }

  #request(
    msgid: number,
    method: string,
    params: Value,
    isRight: (result: unknown) => boolean,
  ): Frame {
    return { bytes: this.#writer.write([0, msgid, method, params]), msgid, isRight };
  }

  #spoilt(bytes: Uint8Array): Uint8Array {
    switch (this.random.below(8)) {
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

interface InferResult {
  outputs?: { y?: { data?: Uint8Array } };
}

function isListing(result: unknown): boolean {
  const names = Array.isArray(result) && (result as { name?: unknown }[]).map(({ name }) => name);
  return String(names) === String([...MODELS].sort());
}
