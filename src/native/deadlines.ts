/** A request that is late is told so within this, while the event loop is free. */
const STEP_MS = 1;
/** Timers of Node.js are no longer than 2^31 ms. */
const MOST_MS = 1e9;

/**
 * Has requests that wait in the native queues ended when their deadlines pass: one timer, which runs
 * while there are deadlines to come. It does not keep the process alive.
 */
export class Deadlines {
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by the monotonic clock. */
  #at = Infinity;

  /** `expire` ends what is late, and gives in how many milliseconds it is to be called next; -1: not. */
  constructor(private readonly expire: () => number) {}

  /** A deadline passes in so many milliseconds; below 0: none. */
  expect(inMs: number | undefined): void {
    if (inMs === undefined || inMs < 0) return;
    const at = performance.now() + inMs;
    if (at >= this.#at) return;
    this.close();
    this.#at = at;
    this.#timer = setTimeout(() => this.#onTime(), Math.min(Math.ceil(inMs) + STEP_MS, MOST_MS));
    this.#timer.unref();
  }

  /** Ends the timer, until a deadline is expected again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }

  #onTime(): void {
    this.#at = Infinity;
    this.expect(this.expire());
  }
}
