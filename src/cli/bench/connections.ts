import type { Endpoint } from '../../client/endpoint.js';
import { toRpcUrls, toSettings, type ClientOptions } from '../../client/options.js';
import { Pool, type Taker } from '../../client/pool.js';
import { openNodeSocket } from '../../client/socket-node.js';

/**
 * The connections of a load: the client library's, without the retries, deadlines and copies of its
 * calls, which take as much time as all the rest. One that ends is opened again. Its owner calls
 * `close`.
 */
export class Connections {
  /** Connections that ended, after all were open. */
  disconnects = 0;
  readonly #pool: Pool;
  readonly #up = new Set<Endpoint>();
  #onChange: (() => void) | undefined;

  private constructor(url: string, options: ClientOptions) {
    const settings = toSettings(options, openNodeSocket);
    this.#pool = new Pool(
      { ...settings, urls: toRpcUrls(url) },
      {
        onUp: (endpoint) => {
          this.#up.add(endpoint);
          this.#onChange?.();
        },
        onDown: (endpoint) => {
          if (this.#up.delete(endpoint)) this.disconnects++;
          this.#onChange?.();
        },
        onNotification: () => {},
      },
    );
  }

  /** Resolves when all are open; rejects with UNAVAILABLE if one of them cannot be opened. */
  static async open(url: string, options: ClientOptions): Promise<Connections> {
    const connections = new Connections(url, options);
    try {
      await connections.#opened();
      return connections;
    } catch (error) {
      connections.#pool.destroy('the load ended');
      throw error;
    }
  }

  /** One with room for a request; undefined if there is none. */
  pick(): Endpoint | undefined {
    return this.#pool.pick();
  }

  /** Gives `taker` one with room, as soon as there is one. */
  wait(taker: Taker): void {
    this.#pool.wait(taker);
  }

  stopWaiting(taker: Taker): void {
    this.#pool.stopWaiting(taker);
  }

  /** Closes them, without a wait if something is in flight, which is lost. */
  async close(): Promise<void> {
    if (this.#pool.endpoints.some(({ inFlight }) => inFlight > 0))
      this.#pool.destroy('the load ended');
    else await this.#pool.close();
  }

  async #opened(): Promise<void> {
    const { endpoints } = this.#pool;
    this.#pool.start();
    while (this.#up.size < endpoints.length) {
      if (endpoints.some((endpoint) => endpoint.hasFailed)) throw this.#pool.notConnected();
      await new Promise<void>((resolve) => (this.#onChange = resolve));
    }
    this.#onChange = undefined;
  }
}
