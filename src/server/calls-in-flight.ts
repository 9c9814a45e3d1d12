/** What is kept here; in one place at a time. */
export interface Placed {
  /** Its own of whoever keeps it. */
  place: number;
}

/** The calls of one connection that are not answered yet. In no order; adding and deleting take nothing. */
export class CallsInFlight<T extends Placed> {
  readonly #calls: T[] = [];

  get size(): number {
    return this.#calls.length;
  }

  add(call: T): void {
    call.place = this.#calls.length;
    this.#calls.push(call);
  }

  /** Does nothing if it is not here. */
  delete(call: T): void {
    if (this.#calls[call.place] !== call) return;
    const last = this.#calls.pop() as T;
    if (last === call) return;
    this.#calls[call.place] = last;
    last.place = call.place;
  }

  /** Those that are here now, whatever becomes of them meanwhile. */
  snapshot(): readonly T[] {
    return [...this.#calls];
  }
}
