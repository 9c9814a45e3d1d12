import { createHistogram } from 'node:perf_hooks';

/** In microseconds. */
export interface Distribution {
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/** Three digits of any time up to an hour; longer ones count as an hour, but for the maximum. */
const SETTINGS = { lowest: 1, highest: 3_600e9, figures: 3 };

/**
 * Times in bounded memory: Node.js's own HdrHistogram, in nanoseconds. Percentiles are at most 0.1 %
 * above the true ones; mean and maximum are exact to the nanosecond.
 */
export class TimeHistogram {
  readonly #histogram = createHistogram(SETTINGS);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  /** Microseconds. What is below a nanosecond counts as one. */
  record(us: number): void {
    const nanoseconds = Math.min(Math.max(1, Math.round(us * 1e3)), SETTINGS.highest);
    this.#histogram.record(nanoseconds);
    this.#count++;
    this.#sumUs += us;
    this.#maxUs = Math.max(this.#maxUs, us);
  }

  /** Null if nothing was recorded. */
  distribution(): Distribution | null {
    if (this.#count === 0) return null;
    return {
      mean: toNanosecond(this.#sumUs / this.#count),
      p50: this.#percentile(50),
      p90: this.#percentile(90),
      p99: this.#percentile(99),
      p999: this.#percentile(99.9),
      max: toNanosecond(this.#maxUs),
    };
  }

  #percentile(percent: number): number {
    return toNanosecond(Math.min(this.#histogram.percentile(percent) / 1e3, this.#maxUs));
  }
}

/** Digits beyond it are noise. */
function toNanosecond(us: number): number {
  return Math.round(us * 1e3) / 1e3;
}
