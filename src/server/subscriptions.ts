import type { Grant } from '../access/grant.js';
import { EVENT_TYPES, type DaemonEvent, type EventType } from '../rpc/events.js';
import { encodeNotification } from '../rpc/frames.js';
import { eventFor } from './visible.js';

/** A connection, as far as events go. */
export interface Subscriber {
  /** What it may hear of. */
  readonly grant: Grant;
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

  /** Pushes `[2, 'event', [event]]` to those who asked for its type, as far as they may know it. */
  publish(event: DaemonEvent): void {
    const subscribers = this.#subscribers[event.type];
    if (subscribers.size === 0) return;
    const whole = encodeNotification('event', event);
    for (const subscriber of [...subscribers]) {
      const visible = eventFor(subscriber.grant, event);
      if (visible === event) subscriber.push(whole);
      else if (visible) subscriber.push(encodeNotification('event', visible));
    }
  }
}
