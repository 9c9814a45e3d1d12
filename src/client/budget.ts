import { WarmswapError } from '../rpc/errors.js';

/** Something that was given to a socket, which holds it until it has sent it on. */
export interface Buffered {
  readonly isTaken: () => boolean;
}

/** What a call had taken that has ended before sockets took its request. */
interface Held {
  readonly bytes: number;
  readonly left: readonly Buffered[];
}

/**
 * Bounds the calls of a client by their number and the bytes of their requests. A call counts until it
 * has ended and no socket holds its request any more: a caller that aborts what a slow connection has
 * not taken yet must not fill the memory with it.
 */
export class Budget {
  #calls = 0;
  #bytes = 0;
  /** Looked through when there is no room, since sockets do not tell when they have taken something. */
  #held: Held[] = [];

  constructor(
    private readonly maxCalls: number,
    private readonly maxBytes: number,
  ) {}

  /** Throws RESOURCE_EXHAUSTED if there is no room for another call; else the caller gives it back. */
  take(bytes: number): void {
    if (!this.#hasRoom(bytes)) this.#releaseTaken();
    if (!this.#hasRoom(bytes)) throw this.#exhausted(bytes);
    this.#calls++;
    this.#bytes += bytes;
  }

  /** The call has ended; `left` is what was sent of it and not answered. */
  giveBack(bytes: number, left: readonly Buffered[]): void {
    if (left.every(isTaken)) this.#release(bytes);
    else this.#held.push({ bytes, left });
  }

  #hasRoom(bytes: number): boolean {
    return this.#calls < this.maxCalls && this.#bytes + bytes <= this.maxBytes;
  }

  #releaseTaken(): void {
    const held = this.#held;
    this.#held = [];
    for (const { bytes, left } of held) this.giveBack(bytes, left);
  }

  #release(bytes: number): void {
    this.#calls--;
    this.#bytes -= bytes;
  }

  #exhausted(bytes: number): WarmswapError {
    const what =
      this.#calls >= this.maxCalls
        ? `${this.maxCalls} calls`
        : `requests of ${this.#bytes + bytes} of ${this.maxBytes} bytes`;
    const message = `this client waits for the answers of ${what}, or for sockets to take them`;
    return new WarmswapError('RESOURCE_EXHAUSTED', message);
  }
}

function isTaken(sent: Buffered): boolean {
  return sent.isTaken();
}
