import { EVENT_TYPES, type DaemonEvent, type EventType } from '../rpc/events.js';
import { encodeNotification } from '../rpc/frames.js';

/** A connection, as far as events go. */
export interface Subscriber {
  /** Sends a frame, or drops it if the connection is closed. Bounds what it buffers itself. */
  push(frame: Uint8Array): void;
}

/** Who gets which events. A connection is in it at most once for each type. */
export class Subscriptions {
  readonly #subscribers: Readonly<Record<EventType, Set<Subscriber>>> = {
    swap: new Set(),
    model: new Set(),
    worker: new Set(),
  };

  subscribe(subscriber: Subscriber, types: readonly EventType[]): void {
    for (const type of types) this.#subscribers[type].add(subscriber);
  }

  unsubscribe(subscriber: Subscriber, types: readonly EventType[]): void {
    for (const type of types) this.#subscribers[type].delete(subscriber);
  }

  /** The connection is gone. */
  remove(subscriber: Subscriber): void {
    this.unsubscribe(subscriber, EVENT_TYPES);
  }

  /** Pushes `[2, 'event', [event]]` to those who asked for its type. */
  publish(event: DaemonEvent): void {
    const subscribers = this.#subscribers[event.type];
    if (subscribers.size === 0) return;
    const frame = encodeNotification('event', event);
    for (const subscriber of [...subscribers]) subscriber.push(frame);
  }
}
