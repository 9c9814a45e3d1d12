import { WarmswapError } from '../rpc/errors.js';
import { encodeRequest } from '../rpc/frames.js';

/** A placeholder that MessagePack writes as uint 32: four bytes that any msgid can replace. */
const MSGID_PLACEHOLDER = 0xffff_ffff;
/** After the array's header, the message's type and the msgid's own type. */
const MSGID_OFFSET = 3;
/** A placeholder that MessagePack writes as float 64, whatever the deadline. */
const DEADLINE_PLACEHOLDER = 0.5;
const FLOAT64_BYTES = 8;

/**
 * One request, encoded once however often it is sent: the caller's arrays are copied and may change
 * afterwards. An attempt writes its msgid and deadline into the frame just before it sends it; a
 * socket copies what it is given to send.
 */
export class RequestFrame {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /**
   * With `hasDeadline` the params get `deadlineMs`, which each attempt sets. Throws INVALID_ARGUMENT
   * for params that MessagePack cannot hold.
   */
  constructor(
    method: string,
    params: unknown,
    private readonly hasDeadline = false,
  ) {
    // The last key, so that its value is the end of the frame.
    const all = hasDeadline ? { ...(params as object), deadlineMs: DEADLINE_PLACEHOLDER } : params;
    this.#bytes = encode(method, all);
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** Milliseconds that the next attempt may take. Does nothing for a request without a deadline. */
  setDeadline(deadlineMs: number): void {
    if (this.hasDeadline) this.#view.setFloat64(this.byteLength - FLOAT64_BYTES, deadlineMs);
  }

  /** The frame to send; it changes with the next call. */
  withMsgid(msgid: number): Uint8Array {
    this.#view.setUint32(MSGID_OFFSET, msgid);
    return this.#bytes;
  }
}

function encode(method: string, params: unknown): Uint8Array {
  try {
    return encodeRequest(MSGID_PLACEHOLDER, method, params);
  } catch (error) {
    throw new WarmswapError(
      'INVALID_ARGUMENT',
      `the params of ${method} cannot be sent as MessagePack: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
