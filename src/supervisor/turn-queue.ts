/** Does one piece of work after another, in the order in which they come. */
export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `work` does. What fails holds up nothing that comes after it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
