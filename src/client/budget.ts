import { WarmswapError } from '../rpc/errors.js';

/** Bounds the calls that are not answered yet, by their number and the bytes of their requests. */
export class Budget {
  #calls = 0;
  #bytes = 0;

  constructor(
    private readonly maxCalls: number,
    private readonly maxBytes: number,
  ) {}

  /** Throws RESOURCE_EXHAUSTED if there is no room for another call; else the caller gives it back. */
  take(bytes: number): void {
    if (this.#calls >= this.maxCalls) throw exhausted(`${this.maxCalls} calls`);
    if (this.#bytes + bytes > this.maxBytes) {
      throw exhausted(`requests of ${this.#bytes + bytes} of ${this.maxBytes} bytes`);
    }
    this.#calls++;
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#calls--;
    this.#bytes -= bytes;
  }
}

function exhausted(what: string): WarmswapError {
  return new WarmswapError('RESOURCE_EXHAUSTED', `this client waits for the answers of ${what}`);
}
