/** One time-out at a time, with an owner that ends it. */
export class Timer {
  #handle: ReturnType<typeof setTimeout> | undefined;

  /** Replaces what was set before. */
  set(delayMs: number, onTime: () => void): void {
    this.clear();
    this.#handle = setTimeout(onTime, delayMs);
  }

  clear(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}
