import { WarmswapError } from '../rpc/errors.js';
import { Endpoint, type EndpointEvents, type EndpointSettings } from './endpoint.js';
import { pickLeastBusy } from './picker.js';

export interface PoolSettings extends Omit<EndpointSettings, 'url'> {
  readonly urls: readonly string[];
  /** Connections to each URL. */
  readonly connections: number;
}

export type PoolEvents = Pick<EndpointEvents, 'onUp' | 'onDown' | 'onNotification'>;

/** Called with an endpoint that is ready. */
export type Taker = (endpoint: Endpoint) => void;

const NONE: ReadonlySet<Endpoint> = new Set();

/** All connections of a client, and the calls that wait for one. Its owner calls `close` or `destroy`. */
export class Pool {
  readonly endpoints: readonly Endpoint[];
  /** In the order in which they came. */
  readonly #waiting = new Set<Taker>();
  #turn = 0;
  #isDestroyed = false;

  constructor(settings: PoolSettings, events: PoolEvents) {
    const own: EndpointEvents = {
      ...events,
      onUp: (endpoint) => {
        events.onUp(endpoint);
        this.#serveWaiting();
      },
      onRoom: () => this.#serveWaiting(),
    };
    this.endpoints = settings.urls.flatMap((url) =>
      Array.from({ length: settings.connections }, () => new Endpoint({ ...settings, url }, own)),
    );
  }

  start(): void {
    for (const endpoint of this.endpoints) endpoint.start();
  }

  /** The endpoint for a request, best not one of `avoid`; undefined if none is ready. */
  pick(avoid: ReadonlySet<Endpoint> = NONE): Endpoint | undefined {
    if (this.#isDestroyed) return undefined;
    return pickLeastBusy(this.endpoints, avoid, this.#turn++);
  }

  /** Gives `taker` an endpoint as soon as there is one, after all who came before. */
  wait(taker: Taker): void {
    this.#waiting.add(taker);
  }

  stopWaiting(taker: Taker): void {
    this.#waiting.delete(taker);
  }

  /** What a call that has waited too long is told. */
  whyWaiting(): WarmswapError {
    if (this.endpoints.some((endpoint) => endpoint.isUp)) {
      return new WarmswapError('RESOURCE_EXHAUSTED', 'every connection is full of calls in flight');
    }
    return this.notConnected();
  }

  /** Names every URL with its reason. */
  notConnected(): WarmswapError {
    const reasons = new Set(this.endpoints.map(({ url, lastReason }) => `${url}: ${lastReason}`));
    return new WarmswapError('UNAVAILABLE', `cannot connect to ${[...reasons].join('; ')}`);
  }

  /** Closes in an orderly way; resolves when all connections are closed. */
  async close(): Promise<void> {
    await Promise.all(this.endpoints.map((endpoint) => endpoint.close()));
  }

  /** Ends at once: what is in flight is lost, and nothing is ready any more. */
  destroy(reason: string): void {
    this.#isDestroyed = true;
    for (const endpoint of this.endpoints) endpoint.destroy(reason);
  }

  #serveWaiting(): void {
    for (const taker of this.#waiting) {
      const endpoint = this.pick();
      if (!endpoint) return;
      this.#waiting.delete(taker);
      taker(endpoint);
    }
  }
}
