import { hash32 } from '../fixtures/random.js';

/** Numbers that a seed determines. */
export class Random {
  #drawn = 0;

  constructor(private readonly seed: number) {}

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + ((hash32(this.#drawn++, this.seed) >>> 0) / 2 ** 32) * (to - from);
  }

  /** An integer in [0, below). */
  below(limit: number): number {
    return Math.floor(this.between(0, limit));
  }

  /** True once in `times` on average. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  oneOf<T>(values: readonly [T, ...T[]]): T;
  oneOf<T>(values: readonly T[]): T | undefined;
  oneOf<T>(values: readonly T[]): T | undefined {
    return values[this.below(values.length)];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
