/** When a version counts as broken, and for how long. Times are milliseconds. */
export interface BreakerOptions {
  /** It opens when so many of the requests in `windowMs` have failed, above 0 and up to 1, … */
  errorRatio: number;
  /** … of so many at least. */
  minRequests: number;
  windowMs: number;
  /** How long it stays open until one request is let through to try. */
  cooldownMs: number;
}

/** `closed`: requests run; `open`: none does; `halfOpen`: one at a time does, to try. */
export type BreakerState = 'closed' | 'open' | 'halfOpen';

/** `failed` is the version's fault; `neither` says nothing about the version. */
export type RunOutcome = 'succeeded' | 'failed' | 'neither';

/** The window is forgotten slice by slice. */
const SLICES = 10;
/** While a request tries the version, others should come again after this, or a shorter cooldown. */
const TRIAL_MS = 1_000;

interface Slice {
  /** Number of the slice since the clock began. */
  number: number;
  failed: number;
  total: number;
}

/** Keeps requests away from a version that fails too often. A pure state machine: it has no timer. */
export class CircuitBreaker {
  #state: BreakerState = 'closed';
  #openings = 0;
  /** Changes with the state: what began in another one does not count. */
  #epoch = 0;
  #openUntil = 0;
  #isTrying = false;
  readonly #slices: Slice[] = Array.from({ length: SLICES }, noSlice);

  constructor(
    private readonly options: BreakerOptions,
    private readonly onChange: (state: BreakerState) => void = () => {},
    private readonly now: () => number = () => performance.now(),
  ) {}

  get state(): BreakerState {
    return this.#state;
  }

  /** How often it has opened, again after a failed try included. */
  get openings(): number {
    return this.#openings;
  }

  /** 0 if a request may run now; else when it should come again. */
  get retryAfterMs(): number {
    if (this.#state === 'closed') return 0;
    if (this.#isTrying) return Math.ceil(Math.min(this.options.cooldownMs, TRIAL_MS));
    return Math.max(0, Math.ceil(this.#openUntil - this.now()));
  }

  /** A request runs, for which `retryAfterMs` is 0. Gives what `end` of it needs. */
  begin(): number {
    if (this.#state === 'closed') return this.#epoch;
    if (this.#state === 'open') this.#moveTo('halfOpen');
    this.#isTrying = true;
    return this.#epoch;
  }

  /** A request that began is done. */
  end(epoch: number, outcome: RunOutcome): void {
    if (epoch !== this.#epoch) return;
    if (this.#state === 'halfOpen') this.#endTrial(outcome);
    else if (outcome !== 'neither') this.#count(outcome === 'failed');
  }

  #endTrial(outcome: RunOutcome): void {
    this.#isTrying = false;
    if (outcome === 'succeeded') this.#close();
    else if (outcome === 'failed') this.#open();
  }

  #count(hasFailed: boolean): void {
    const slice = this.#currentSlice();
    slice.total++;
    if (!hasFailed) return;
    slice.failed++;
    const { failed, total } = this.#sum(slice.number);
    const { minRequests, errorRatio } = this.options;
    if (total >= minRequests && failed / total >= errorRatio) this.#open();
  }

  #currentSlice(): Slice {
    const number = Math.floor(this.now() / (this.options.windowMs / SLICES));
    const slice = this.#slices[number % SLICES] as Slice;
    if (slice.number !== number) Object.assign(slice, { ...noSlice(), number });
    return slice;
  }

  #sum(current: number): { failed: number; total: number } {
    let [failed, total] = [0, 0];
    for (const slice of this.#slices) {
      if (slice.number <= current - SLICES) continue;
      failed += slice.failed;
      total += slice.total;
    }
    return { failed, total };
  }

  #open(): void {
    this.#openings++;
    this.#openUntil = this.now() + this.options.cooldownMs;
    this.#moveTo('open');
  }

  #close(): void {
    for (const slice of this.#slices) Object.assign(slice, noSlice());
    this.#moveTo('closed');
  }

  #moveTo(state: BreakerState): void {
    this.#state = state;
    this.#epoch++;
    this.#isTrying = false;
    this.onChange(state);
  }
}

function noSlice(): Slice {
  return { number: -Infinity, failed: 0, total: 0 };
}
