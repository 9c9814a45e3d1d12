/** More often nobody needs to hear it. */
const INTERVAL_MS = 500;

/**
 * Tells the supervisor that this thread gets on. It answers heartbeats between two turns of the event loop
 * only, and what clients send may keep one turn busy for longer than a heartbeat may take.
 */
export class LifeSign {
  #toldAt: number;

  constructor(
    private readonly tell: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#toldAt = now();
  }

  /** To be called behind each piece of work that may be one of many in a turn. */
  readonly give = (): void => {
    const now = this.now();
    if (now - this.#toldAt < INTERVAL_MS) return;
    this.#toldAt = now;
    this.tell();
  };
}
