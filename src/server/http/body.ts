import { WarmswapError } from '../../rpc/errors.js';
import { HttpError } from './http-error.js';

const LEAST_CAPACITY = 4096;

/** The memory that all bodies on their way may take together, in bytes. */
export class BodyBudget {
  #taken = 0;

  constructor(private readonly most: number) {}

  get taken(): number {
    return this.#taken;
  }

  /** Throws RESOURCE_EXHAUSTED where that would be too much. */
  take(bytes: number): void {
    if (this.#taken + bytes > this.most) {
      throw new WarmswapError(
        'RESOURCE_EXHAUSTED',
        `the bodies of other requests take ${this.#taken} of ${this.most} bytes`,
      );
    }
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** Puts one body together, however small its chunks. Its owner calls `release` once. */
export class Body {
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly budget: BodyBudget,
  ) {}

  /**
   * The whole body after its last chunk, nothing before. It may be a view on that chunk, and is gone
   * with it or after `release`. Throws 413 as soon as it is too long, RESOURCE_EXHAUSTED.
   */
  push(chunk: Uint8Array, isLast: boolean): Uint8Array | undefined {
    const length = this.#length + chunk.length;
    refuseTooLong(length, this.maxBytes);
    if (isLast && this.#length === 0) return chunk;
    this.#reserve(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
    return isLast ? this.#buffer.subarray(0, length) : undefined;
  }

  /** Gives up the memory. */
  release(): void {
    this.budget.give(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  #reserve(length: number): void {
    const held = this.#buffer.length;
    if (length <= held) return;
    const capacity = Math.min(this.maxBytes, Math.max(length, 2 * held, LEAST_CAPACITY));
    this.budget.take(capacity - held);
    const grown = Buffer.allocUnsafe(capacity);
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Throws 413. */
export function refuseTooLong(length: number, maxBytes: number): void {
  if (length <= maxBytes) return;
  throw new HttpError(413, `body: expected at most ${maxBytes} bytes, got ${length} or more`);
}
