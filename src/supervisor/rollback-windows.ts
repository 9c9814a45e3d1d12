import type { GenerationPlan } from '../registry/plan.js';

export interface RollbackWindowsOptions {
  /** How long a replaced version is kept, in milliseconds; 0: not at all. */
  windowMs(): number;
  /** One or more windows have ended, or `again` was called. */
  onEnd(): void;
}

/** After which an end that could not be followed is tried again. */
const RETRY_MS = 5_000;

/**
 * For each model the time in which the version that was active before stays ready. Its one timer
 * ends with `close`, and keeps no process alive.
 */
export class RollbackWindows {
  /** By model, on the clock of `performance`. */
  readonly #ends = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: RollbackWindowsOptions) {}

  /** Models whose window has not ended. */
  get open(): ReadonlySet<string> {
    const now = performance.now();
    return new Set([...this.#ends].filter(([, end]) => end > now).map(([name]) => name));
  }

  /** A window begins for each model whose active version is another one now. */
  onCommitted(before: GenerationPlan, after: GenerationPlan): void {
    const actives = new Map(before.models.map(({ name, active }) => [name, active]));
    for (const { name, active } of after.models) {
      const was = actives.get(name);
      if (was === undefined || was === active) continue;
      this.#begin(name);
    }
    const names = new Set(after.models.map(({ name }) => name));
    for (const name of this.#ends.keys()) if (!names.has(name)) this.#ends.delete(name);
    this.#schedule();
  }

  /** Windows that a daemon before has left open begin anew: the version before is loaded in them. */
  onRestored({ models }: GenerationPlan): void {
    for (const { name, previous, versions } of models) {
      const isLoaded = versions.some(({ version }) => version === previous);
      if (isLoaded) this.#begin(name);
    }
    this.#schedule();
  }

  /** What was to be done at an end could not be done: calls `onEnd` once more, a little later. */
  again(): void {
    this.#start(RETRY_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #begin(name: string): void {
    this.#ends.set(name, performance.now() + this.options.windowMs());
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const earliest = Math.min(...this.#ends.values());
    if (Number.isFinite(earliest)) this.#start(Math.max(0, earliest - performance.now()));
  }

  #start(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    // A timer may fire a little early: the window must have ended then.
    this.#timer = setTimeout(() => this.#onTimer(), Math.ceil(delayMs) + 1).unref();
  }

  #onTimer(): void {
    const { open } = this;
    for (const name of this.#ends.keys()) if (!open.has(name)) this.#ends.delete(name);
    this.#schedule();
    this.options.onEnd();
  }
}
