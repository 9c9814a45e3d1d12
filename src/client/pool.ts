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
type OnRefused = (error: WarmswapError) => void;

const NONE: ReadonlySet<Endpoint> = new Set();

/** All connections of a client, and the calls that wait for one. Its owner calls `close` or `destroy`. */
export class Pool {
  readonly endpoints: readonly Endpoint[];
  /** In the order in which they came. */
  readonly #waiting = new Map<Taker, OnRefused | undefined>();
  #turn = 0;
  #isDestroyed = false;

  constructor(settings: PoolSettings, events: PoolEvents) {
    const own: EndpointEvents = {
      ...events,
      onUp: (endpoint) => {
        events.onUp(endpoint);
        this.#serveWaiting();
      },
      onDown: (endpoint) => {
        events.onDown(endpoint);
        this.#refuseWaiting();
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

  /**
   * Gives `taker` an endpoint as soon as there is one, after all who came before; or calls `onRefused`
   * when there is a `refusal`, after which it does not wait any more.
   */
  wait(taker: Taker, onRefused?: OnRefused): void {
    this.#waiting.set(taker, onRefused);
  }

  stopWaiting(taker: Taker): void {
    this.#waiting.delete(taker);
  }

  /** Why waiting is of no use: every endpoint is refused. Nothing while one is up or may come up. */
  get refusal(): WarmswapError | undefined {
    const areRefused = this.endpoints.every((endpoint) => endpoint.isRefused);
    return areRefused ? this.notConnected() : undefined;
  }

  /** What a call that has waited too long is told. */
  whyWaiting(): WarmswapError {
    if (this.endpoints.some((endpoint) => endpoint.isUp)) {
      return new WarmswapError('RESOURCE_EXHAUSTED', 'every connection is full of calls in flight');
    }
    return this.notConnected();
  }

  /** Names every URL with its reason. The code is UNAVAILABLE unless all that have failed are refused. */
  notConnected(): WarmswapError {
    const { endpoints } = this;
    const reasons = new Set(endpoints.map(({ url, lastError }) => `${url}: ${lastError.message}`));
    const failed = endpoints.filter((endpoint) => endpoint.hasFailed);
    const refused = failed.every((endpoint) => endpoint.isRefused) ? failed[0] : undefined;
    const message = `cannot connect to ${[...reasons].join('; ')}`;
    return new WarmswapError(refused?.lastError.code ?? 'UNAVAILABLE', message, {
      retryable: refused === undefined,
      ...(refused && { cause: refused.lastError }),
    });
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
    for (const taker of this.#waiting.keys()) {
      const endpoint = this.pick();
      if (!endpoint) return;
      this.#waiting.delete(taker);
      taker(endpoint);
    }
  }

  #refuseWaiting(): void {
    const { refusal } = this;
    if (!refusal) return;
    for (const [taker, onRefused] of this.#waiting) {
      if (!onRefused) continue;
      this.#waiting.delete(taker);
      onRefused(refusal);
    }
  }
}
