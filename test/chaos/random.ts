import { hash32 } from '../fixtures/random.js';

/** Numbers that a seed determines. */
export class Random {
  #drawn = 0;

  constructor(private readonly seed: number) {}

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + ((hash32(this.#drawn++, this.seed) >>> 0) / 2 ** 32) * (to - from);
  }

  oneOf<T>(values: readonly T[]): T | undefined {
    return values[Math.floor(this.between(0, values.length))];
  }
}
