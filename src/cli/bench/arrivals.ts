/**
 * When the requests of an open loop are due: evenly spaced, whatever the answers take. Times are in
 * milliseconds of one clock.
 */
export class Arrivals {
  #taken = 0;

  constructor(
    private readonly startAt: number,
    private readonly ratePerSecond: number,
    /** No request is due from then on; Infinity: no end. */
    private readonly endAt: number,
    /** Infinity: no bound. */
    private readonly maxCount: number,
  ) {}

  /** Requests taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether every request that will ever be due has been taken. */
  get isExhausted(): boolean {
    return this.#taken >= this.maxCount || this.#dueAt(this.#taken) >= this.endAt;
  }

  /** When the next one is or was due, if that is by `now`; it is taken by `take`. */
  nextDue(now: number): number | undefined {
    const dueAt = this.#dueAt(this.#taken);
    return dueAt <= now && !this.isExhausted ? dueAt : undefined;
  }

  take(): void {
    this.#taken++;
  }

  /** How many are due by `now` and not taken. */
  overdue(now: number): number {
    const until = Math.min(now, this.endAt);
    const due = until < this.startAt ? 0 : this.#countDue(until);
    return Math.max(0, Math.min(due, this.maxCount) - this.#taken);
  }

  /** Those with a due time of at most `until`, and before the end. */
  #countDue(until: number): number {
    const steps = ((until - this.startAt) * this.ratePerSecond) / 1000;
    const count = Math.floor(steps) + 1;
    return this.#dueAt(count - 1) >= this.endAt ? count - 1 : count;
  }

  /** From the start, so that no error adds up. */
  #dueAt(index: number): number {
    return this.startAt + (index * 1000) / this.ratePerSecond;
  }
}
