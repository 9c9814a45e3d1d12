/** Tells when nothing has happened for a while. Its one timer ends with `close`. */
export class QuietPeriod {
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #isClosed = false;

  /** Begins now. `onOver` is called once, after `ms` in which nothing has happened and nothing goes on. */
  constructor(
    private readonly ms: number,
    private readonly goesOn: () => boolean,
    private readonly onOver: () => void,
  ) {
    this.restart();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Something has happened: it begins anew. */
  restart(): void {
    if (this.#isOver || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onTimer(), this.ms);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #onTimer(): void {
    if (this.goesOn()) return this.restart();
    this.#isOver = true;
    this.onOver();
  }
}
