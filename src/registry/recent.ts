/**
 * Gives a value that takes a while to read to everybody who asks: it is read again only once what was
 * read is older than `maxAgeMs`, and never twice at the same time. What fails is not kept.
 */
export class Recent<T> {
  #value: Promise<T> | undefined;
  /** When it was there; infinite while it is being read. */
  #readAt = 0;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly maxAgeMs: number,
  ) {}

  get(): Promise<T> {
    if (this.#value === undefined || performance.now() - this.#readAt > this.maxAgeMs) {
      this.#readAt = Number.POSITIVE_INFINITY;
      this.#value = this.#readNow();
    }
    return this.#value;
  }

  async #readNow(): Promise<T> {
    try {
      return await this.read();
    } catch (error) {
      this.#value = undefined;
      throw error;
    } finally {
      this.#readAt = performance.now();
    }
  }
}
