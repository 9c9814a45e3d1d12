import type { CancelSlot } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';

/** The longest delay that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Requests for a version that is away, until it is replaced or back. At most `capacity` wait. */
export class WaitingRoom {
  readonly #waiters = new Set<Waiter>();

  constructor(
    private readonly what: string,
    private readonly capacity: number,
  ) {}

  /**
   * Resolves when the room opens. Rejects with RESOURCE_EXHAUSTED if it is full, DEADLINE_EXCEEDED
   * after `deadlineMs`, CANCELLED by what it puts into `slot`, or as `close` says.
   */
  wait(deadlineMs: number | undefined, slot: CancelSlot): Promise<void> {
    if (this.#waiters.size >= this.capacity) {
      const full = `${this.what} is being replaced, and ${this.capacity} requests wait for it already`;
      return Promise.reject(new WarmswapError('RESOURCE_EXHAUSTED', full));
    }
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter: Waiter = {
        resolve: () => leave(resolve),
        reject: (error) => leave(() => reject(error)),
      };
      const late = new WarmswapError('DEADLINE_EXCEEDED', `${this.what} was not replaced in time`);
      const timer = startTimer(deadlineMs, () => waiter.reject(late));
      slot.cancel = () =>
        waiter.reject(new WarmswapError('CANCELLED', 'the request was cancelled'));
      this.#waiters.add(waiter);
    });
  }

  /** Lets all who wait go on. */
  open(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }

  /** Sends all who wait away. */
  close(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }
}

function startTimer(ms: number | undefined, then: () => void): NodeJS.Timeout | undefined {
  return ms === undefined ? undefined : setTimeout(then, Math.min(Math.max(0, ms), MAX_TIMER_MS));
}
