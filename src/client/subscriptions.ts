import type { WarmswapError } from '../rpc/errors.js';
import type { Backoff } from './backoff.js';
import type { Endpoint } from './endpoint.js';
import { SubscriptionLink } from './subscription-link.js';

/** Events that servers push, and who listens to them. */

/** Kinds of events; the type of an event is one of these, or begins with one as its first word. */
export type EventName = 'swap' | 'model' | 'worker';

/** An event as the server sent it. */
export interface ServerEvent {
  type: string;
  [field: string]: unknown;
}

/** `url` is that of the daemon that sent the event. */
export type EventListener = (event: ServerEvent, url: string) => void;

export interface SubscribeOptions {
  /** Events come again after the connection was lost; there may have been some in between. */
  onResumed?: (url: string) => void;
  /** A daemon that was connected later refuses; its events do not come. */
  onRefused?: (error: WarmswapError, url: string) => void;
}

export interface Subscription {
  /** No more events. Idempotent. */
  unsubscribe(): void;
}

interface Subscriber {
  readonly events: ReadonlySet<EventName>;
  readonly listener: EventListener;
  readonly options: SubscribeOptions;
}

const EVENT_METHOD = 'event';
const FIRST_WORD = /^[a-z]+/;

export class Subscriptions {
  readonly #links: ReadonlyMap<Endpoint, SubscriptionLink>;
  readonly #subscribers = new Set<Subscriber>();

  /** Events come from these endpoints; one for each server, so that none comes twice. */
  constructor(endpoints: readonly Endpoint[], backoff: Backoff) {
    const wanted = () => this.#wanted();
    const linkTo = (endpoint: Endpoint) =>
      new SubscriptionLink(endpoint, wanted, backoff, {
        onResumed: () => this.#tell(({ options }) => options.onResumed?.(endpoint.url)),
        onRefused: (error) => this.#tell(({ options }) => options.onRefused?.(error, endpoint.url)),
      });
    this.#links = new Map(endpoints.map((endpoint) => [endpoint, linkTo(endpoint)]));
  }

  /** Resolves once every server that is connected has agreed; rejects if one refuses. */
  async add(
    events: readonly EventName[],
    listener: EventListener,
    options: SubscribeOptions,
  ): Promise<Subscription> {
    const subscriber = { events: new Set(events), listener, options };
    this.#subscribers.add(subscriber);
    try {
      await Promise.all([...this.#links.values()].map((link) => link.sync()));
    } catch (error) {
      this.#remove(subscriber);
      throw error;
    }
    return { unsubscribe: () => this.#remove(subscriber) };
  }

  onUp(endpoint: Endpoint): void {
    this.#links.get(endpoint)?.resync();
  }

  onDown(endpoint: Endpoint): void {
    this.#links.get(endpoint)?.onDown();
  }

  onNotification({ url }: Endpoint, method: string, [event]: readonly unknown[]): void {
    if (method !== EVENT_METHOD || !isServerEvent(event)) return;
    const kind = FIRST_WORD.exec(event.type)?.[0] as EventName;
    this.#tell(({ events, listener }) => {
      if (events.has(kind)) listener(event, url);
    });
  }

  end(): void {
    this.#subscribers.clear();
    for (const link of this.#links.values()) link.end();
  }

  #wanted(): ReadonlySet<EventName> {
    return new Set([...this.#subscribers].flatMap(({ events }) => [...events]));
  }

  #remove(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    for (const link of this.#links.values()) link.resync();
  }

  /** What a listener throws is its own: it ends no connection, and nobody swallows it. */
  #tell(what: (subscriber: Subscriber) => void): void {
    for (const subscriber of [...this.#subscribers]) {
      try {
        what(subscriber);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function isServerEvent(value: unknown): value is ServerEvent {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
