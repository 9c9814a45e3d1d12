import type { DaemonEvent } from '../rpc/events.js';

export interface EventListener {
  /** Must not throw, and not wait. */
  onEvent(event: DaemonEvent): void;
  /** No event comes after this. */
  onEnd(): void;
}

/** The daemon's events, for listeners in this process. */
export class EventBus {
  readonly #listeners = new Set<EventListener>();
  #isClosed = false;

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(event: DaemonEvent): void {
    for (const listener of [...this.#listeners]) listener.onEvent(event);
  }

  /** Gives what ends it; that may be called more than once, and does not call `onEnd`. */
  subscribe(listener: EventListener): () => void {
    if (this.#isClosed) listener.onEnd();
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.onEnd();
  }
}
