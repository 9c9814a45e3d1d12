import type { HttpResponse } from 'uWebSockets.js';

/** Who has taken nothing for so long when the connection ends was too slow. */
const STALLED_MS = 5_000;

/**
 * Writes the body of one answer as fast as its client takes it. What it has not taken waits here, and nothing
 * more is read from its connection meanwhile: uWebSockets would hold the answers of a client that asks on and
 * on, and reads none, without a bound.
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
    /** The length is told, and no body comes. */
    private readonly isHead: boolean,
  ) {
    this.#total = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Writes, within a cork, what leaves at once. `onDone` is called once, now or later, unless it is aborted. */
  start(onDone: () => void): void {
    if (this.#write()) return onDone();
    this.#turn = setImmediate(() => (this.#turn = undefined));
    this.#wait();
    this.response.onWritable(() => {
      this.response.resume(); // afterwards there may be no response
      const isDone = this.#write();
      if (isDone) this.#end(onDone);
      else this.#wait();
      return isDone;
    });
  }

  /**
   * The connection has ended before the client had all. Gives whether it was cut off, for asking on without
   * taking its answer or for taking none of it for long, and has not gone by itself.
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

  #wait(): void {
    this.#progressedAt = performance.now();
    this.response.pause();
  }

  /** Whether all has left. */
  #write(): boolean {
    if (this.isHead) return this.#writeNothing();
    for (;;) {
      const [isTaken, isDone] = this.response.tryEnd(this.#rest(), this.#total);
      if (isDone) return true;
      this.#offset = this.response.getWriteOffset();
      if (!isTaken) return false;
    }
  }

  /** It is not over as long as the head has not left. */
  #writeNothing(): boolean {
    const [isTaken] = this.response.tryEnd('', this.#total);
    if (isTaken) this.response.endWithoutBody();
    return isTaken;
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
