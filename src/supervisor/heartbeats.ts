export interface HeartbeatOptions {
  intervalMs: number;
  /** How long a worker may take to answer. */
  timeoutMs: number;
  /** Ids of the workers that have to answer. */
  workers(): readonly number[];
  ask(worker: number): void;
  /** A worker has not answered in time. */
  onHung(worker: number): void;
}

/**
 * Asks the JavaScript thread of every worker for a sign of life. Time is counted in ticks of this
 * process, so that workers are not blamed while it was stopped itself, or the whole machine was.
 */
export class Heartbeats {
  /** Ticks without an answer, of each worker that was asked. */
  readonly #silence = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: HeartbeatOptions) {}

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), this.options.intervalMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The worker has answered, or is another one from now on. */
  reset(worker: number): void {
    this.#silence.delete(worker);
  }

  tick(): void {
    const workers = this.options.workers();
    for (const worker of this.#silence.keys()) if (!workers.includes(worker)) this.reset(worker);
    for (const worker of workers) this.#check(worker);
  }

  #check(worker: number): void {
    const silence = this.#silence.get(worker);
    if (silence === undefined) {
      this.#silence.set(worker, 0);
      this.options.ask(worker);
    } else if ((silence + 1) * this.options.intervalMs < this.options.timeoutMs) {
      this.#silence.set(worker, silence + 1);
    } else {
      this.reset(worker);
      this.options.onHung(worker);
    }
  }
}
