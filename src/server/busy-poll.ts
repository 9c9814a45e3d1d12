/** Requests in a row that come soon before the loop stays awake for the next one. */
const MIN_SOON = 4;

/**
 * Lets the event loop look for the next request instead of sleeping where it is expected within
 * microseconds: going to sleep and being woken takes longer than that. It looks only while nothing
 * is in flight, and only after requests that came within `maxMs` of the last answer; once it has
 * looked in vain for `maxMs`, it sleeps again until requests come like that.
 */
export class BusyPoll {
  /** How long it has looked in all: the event loop counts as active then, but has nothing to do. */
  idleMs = 0;
  #soon = 0;
  #isLooking = false;
  #wasActive = false;
  #idleSince = 0;
  #lookedAt = 0;

  /** `isBusy`: something is in flight. With 0 ms it never looks. */
  constructor(
    private readonly maxMs: number,
    private readonly isBusy: () => boolean,
  ) {}

  /** A request came. */
  onRequest(): void {
    if (this.maxMs === 0 || this.#isLooking || this.isBusy()) return;
    const isSoon = performance.now() - this.#idleSince <= this.maxMs;
    this.#soon = isSoon ? this.#soon + 1 : 0;
  }

  /** An answer was sent. */
  onAnswer(): void {
    if (this.maxMs === 0) return;
    this.#wasActive = true;
    if (this.#isLooking || this.isBusy()) return;
    this.#idleSince = performance.now();
    if (this.#soon < MIN_SOON) return;
    this.#lookedAt = this.#idleSince;
    this.#lookAgain();
  }

  /** Once a turn of the event loop, after it has read its sockets. */
  readonly #look = (): void => {
    const now = performance.now();
    if (this.#wasActive) this.#idleSince = now;
    else this.idleMs += now - this.#lookedAt;
    if (now - this.#idleSince > this.maxMs) this.#soon = 0;
    this.#lookedAt = now;
    this.#isLooking = false;
    if (this.#soon > 0 && !this.isBusy()) this.#lookAgain();
  };

  #lookAgain(): void {
    this.#wasActive = false;
    this.#isLooking = true;
    setImmediate(this.#look);
  }
}
