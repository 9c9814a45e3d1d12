import type { HttpResponse } from 'uWebSockets.js';

/** Who has taken nothing for so long when the connection ends was too slow. */
const STALLED_MS = 5_000;

/**
 * Writes the body of one answer as fast as its client takes it. What it has not taken waits here, once:
 * uWebSockets closes the connection of a client that asks on meanwhile, but would hold the answers, if they
 * were left to it, without a bound.
 */
export class BodyWriter {
  readonly #total: number;
  #offset = 0;
  #progressedAt = 0;
  /** Requests that came together with this one are still being read. */
  #turn: NodeJS.Immediate | undefined;

  constructor(
    private readonly response: HttpResponse,
    private readonly pieces: readonly Uint8Array[],
  ) {
    this.#total = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Writes, within a cork, what leaves at once. `onDone` is called once, now or later, unless it is aborted. */
  start(onDone: () => void): void {
    if (this.#write()) return onDone();
    this.#turn = setImmediate(() => (this.#turn = undefined));
    this.#progressedAt = performance.now();
    this.response.onWritable(() => {
      const isDone = this.#write();
      if (isDone) this.#end(onDone);
      return isDone;
    });
  }

  /**
   * The connection has ended before the client had all. Gives whether it is known to have been cut off, for
   * taking nothing for long, or for requests that came together and whose answers it did not take; otherwise
   * it may have gone by itself.
   */
  abort(): boolean {
    const asksOn = this.#turn !== undefined;
    clearImmediate(this.#turn);
    return asksOn || performance.now() - this.#progressedAt >= STALLED_MS;
  }

  #end(onDone: () => void): void {
    clearImmediate(this.#turn);
    onDone();
  }

  /** Whether all has left. */
  #write(): boolean {
    for (;;) {
      const [isTaken, isDone] = this.response.tryEnd(this.#rest(), this.#total);
      if (isDone) return true;
      this.#setOffset(this.response.getWriteOffset());
      if (!isTaken) return false;
    }
  }

  /** TLS may ask for more without anything having left. */
  #setOffset(offset: number): void {
    if (offset > this.#offset) this.#progressedAt = performance.now();
    this.#offset = offset;
  }

  /** Of the piece that is next, what has not left. */
  #rest(): Uint8Array {
    let start = 0;
    for (const piece of this.pieces) {
      const end = start + piece.byteLength;
      if (this.#offset < end) return piece.subarray(this.#offset - start);
      start = end;
    }
    return new Uint8Array();
  }
}
