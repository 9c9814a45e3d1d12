import type { WarmswapError } from '../rpc/errors.js';
import { backoffDelayMs, type Backoff } from './backoff.js';
import type { Reply } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { RequestFrame } from './request-frame.js';
import type { EventName } from './subscriptions.js';
import { Timer } from './timer.js';

export interface LinkEvents {
  /** The server sends events again after its connection was lost. */
  onResumed(): void;
  /** The server refuses, and is not asked again. */
  onRefused(error: WarmswapError): void;
}

/**
 * Keeps one endpoint's server subscribed to what is wanted. Its owner calls `sync` whenever that has
 * changed or the endpoint is up, `onDown` when it is not, and `end`.
 */
export class SubscriptionLink {
  /** What the server on this connection was asked for, and its answer. */
  readonly #asked = new Map<EventName, Promise<void>>();
  readonly #retryTimer = new Timer();
  #failures = 0;
  #hasLost = false;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly wanted: () => ReadonlySet<EventName>,
    private readonly backoff: Backoff,
    private readonly events: LinkEvents,
  ) {}

  /**
   * Asks for what is missing and asks no longer for what is not wanted. Resolves when the server has
   * agreed, when it is not connected, or when it will be asked again; rejects if it refuses.
   */
  async sync(): Promise<void> {
    if (!this.endpoint.isUp) return;
    const wanted = this.wanted();
    const left = [...this.#asked.keys()].filter((event) => !wanted.has(event));
    if (left.length > 0) this.#unsubscribe(left);
    const missing = [...wanted].filter((event) => !this.#asked.has(event));
    if (missing.length > 0) this.#ask(missing);
    await Promise.all([...wanted].map((event) => this.#asked.get(event) ?? Promise.resolve()));
  }

  onDown(): void {
    this.#hasLost ||= this.#asked.size > 0;
    this.#asked.clear();
    this.#retryTimer.clear();
  }

  end(): void {
    this.#retryTimer.clear();
  }

  /** `sync`, with a refusal told to the owner. */
  resync(): void {
    this.sync().catch((error: unknown) => this.events.onRefused(error as WarmswapError));
  }

  #unsubscribe(events: readonly EventName[]): void {
    for (const event of events) this.#asked.delete(event);
    this.endpoint.send(new RequestFrame('unsubscribe', { events }), () => {});
  }

  #ask(events: readonly EventName[]): void {
    const agreed = new Promise<void>((resolve, reject) => {
      this.endpoint.send(new RequestFrame('subscribe', { events }), (reply) => {
        const refusal = this.#onReply(events, reply);
        if (refusal) reject(refusal);
        else resolve();
      });
    });
    agreed.catch(() => {});
    for (const event of events) this.#asked.set(event, agreed);
  }

  /** Gives the error that is final. */
  #onReply(events: readonly EventName[], reply: Reply): WarmswapError | undefined {
    if (reply.kind === 'lost') return undefined;
    if (reply.kind === 'result') {
      this.#failures = 0;
      if (this.#hasLost) this.events.onResumed();
      this.#hasLost = false;
      return undefined;
    }
    for (const event of events) this.#asked.delete(event);
    if (!reply.error.retryable) return reply.error;
    const delayMs = backoffDelayMs(++this.#failures, this.backoff, Math.random);
    this.#retryTimer.set(delayMs, () => this.resync());
    return undefined;
  }
}
