import { WarmswapError } from '../rpc/errors.js';
import type { ModelDescription, ModelListing } from '../rpc/methods.js';
import { Budget } from './budget.js';
import { Call, type CallSettings } from './call.js';
import {
  INFER_KEYS,
  toInferAnswer,
  toInferParams,
  type InferAnswer,
  type InferCall,
} from './infer.js';
import { refuseUnknownKeys } from './known-keys.js';
import {
  CALL_KEYS,
  optionalDuration,
  toRpcUrls,
  toSettings,
  type CallOptions,
  type ClientOptions,
  type ClientSettings,
} from './options.js';
import { Pool } from './pool.js';
import { RequestFrame } from './request-frame.js';
import type { OpenSocket } from './socket.js';
import {
  Subscriptions,
  type EventListener,
  type EventName,
  type SubscribeOptions,
  type Subscription,
} from './subscriptions.js';

/**
 * A client of the daemons at `urls`, once it is connected to one of them. Rejects with UNAVAILABLE if
 * nobody answers at any, with the code of `connectError` or `refusedUpgrade` if all refuse, with
 * INVALID_ARGUMENT for URLs and options that are none.
 */
export async function connectWith(
  openSocket: OpenSocket,
  urls: string | readonly string[],
  options: ClientOptions,
): Promise<Client> {
  return Client.connect(toRpcUrls(urls), toSettings(options, openSocket));
}

/**
 * Calls may overlap, and answers come in any order. A connection that ends is opened again; a call that
 * was lost with it, or that the daemon may serve later, is sent again unless it is not idempotent.
 * Every rejection is a WarmswapError. Its owner calls `close` or `destroy`.
 */
export class Client {
  readonly #settings: ClientSettings;
  readonly #pool: Pool;
  readonly #subscriptions: Subscriptions;
  readonly #calls = new Set<Call>();
  readonly #budget: Budget;
  #state: 'open' | 'closing' | 'destroyed' = 'open';
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #onFirst: (() => void) | undefined;

  private constructor(urls: readonly string[], settings: ClientSettings) {
    this.#settings = settings;
    this.#budget = new Budget(settings.maxPendingCalls, settings.maxPendingBytes);
    this.#pool = new Pool(
      { ...settings, urls },
      {
        onUp: (endpoint) => {
          this.#onFirst?.();
          this.#subscriptions.onUp(endpoint);
        },
        onDown: (endpoint) => {
          this.#onFirst?.();
          this.#subscriptions.onDown(endpoint);
        },
        onNotification: (endpoint, method, params) =>
          this.#subscriptions.onNotification(endpoint, method, params),
      },
    );
    this.#subscriptions = new Subscriptions(
      this.#pool.endpoints.filter((_, index) => index % settings.connections === 0),
      settings.reconnect,
    );
  }

  /** Use `connect`. */
  static async connect(urls: readonly string[], settings: ClientSettings): Promise<Client> {
    const client = new Client(urls, settings);
    try {
      await client.#connected();
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  /** Runs a model. The inputs are copied before this returns. */
  async infer(call: InferCall): Promise<InferAnswer> {
    refuseUnknownKeys('infer', call, INFER_KEYS);
    return toInferAnswer(await this.#call('infer', toInferParams(call), call, true));
  }

  async models(options: CallOptions = {}): Promise<ModelListing[]> {
    return (await this.#simpleCall('models', {}, options)) as ModelListing[];
  }

  async describe(
    model: string,
    version?: number,
    options: CallOptions = {},
  ): Promise<ModelDescription> {
    const params = version === undefined ? { model } : { model, version };
    return (await this.#simpleCall('describe', params, options)) as ModelDescription;
  }

  /** Gives `value` back, once the daemon has seen it. */
  ping(value: unknown = null, options: CallOptions = {}): Promise<unknown> {
    return this.#simpleCall('ping', value, options);
  }

  /**
   * Calls `listener` with every event of these kinds, from one connection to each URL, also after it
   * was lost and opened again; events in between are not repeated. Resolves once every connected
   * daemon has agreed, rejects with the error of one that refuses.
   */
  async subscribe(
    events: readonly EventName[],
    listener: EventListener,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    this.#refuseUnlessOpen();
    return this.#subscriptions.add(events, listener, options);
  }

  /** Waits for the calls that are in flight, then closes. New calls are refused. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /** Closes at once; calls in flight fail as UNAVAILABLE. Idempotent. */
  destroy(): void {
    if (this.#state === 'destroyed') return;
    this.#state = 'destroyed';
    const reason = 'the client was destroyed';
    this.#subscriptions.end();
    this.#pool.destroy(reason);
    for (const call of [...this.#calls]) call.fail(new WarmswapError('UNAVAILABLE', reason));
  }

  async #close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#subscriptions.end();
    await this.#pool.close();
  }

  /** Until one endpoint is up, or none is being connected for the first time. */
  async #connected(): Promise<void> {
    const { endpoints } = this.#pool;
    this.#pool.start();
    while (!endpoints.some((endpoint) => endpoint.isUp)) {
      if (endpoints.every((endpoint) => endpoint.hasFailed)) throw this.#pool.notConnected();
      await new Promise<void>((resolve) => (this.#onFirst = resolve));
    }
    this.#onFirst = undefined;
  }

  #refuseUnlessOpen(): void {
    if (this.#state !== 'open') throw new WarmswapError('UNAVAILABLE', 'the client is closed');
  }

  /** A call whose options stand apart from its params. */
  async #simpleCall(method: string, params: unknown, options: CallOptions): Promise<unknown> {
    refuseUnknownKeys(`the options of ${method}`, options, CALL_KEYS);
    return this.#call(method, params, options);
  }

  #call(
    method: string,
    params: unknown,
    options: CallOptions,
    takesDeadline = false,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#refuseUnlessOpen();
      const settings = this.#callSettings(options);
      const hasDeadline = takesDeadline && settings.deadlineMs !== undefined;
      const frame = new RequestFrame(method, params, hasDeadline);
      this.#budget.take(frame.byteLength);
      const end = (): void => {
        this.#onEnd(call, frame);
      };
      const call = new Call(frame, this.#pool, settings, {
        onResult: (result) => {
          end();
          resolve(result);
        },
        onError: (error) => {
          end();
          reject(error);
        },
      });
      this.#calls.add(call);
      call.start();
    });
  }

  #onEnd(call: Call, frame: RequestFrame): void {
    this.#calls.delete(call);
    this.#budget.giveBack(frame.byteLength, call.unanswered);
    if (this.#calls.size === 0) this.#onIdle?.();
  }

  #callSettings(options: CallOptions): CallSettings {
    const { deadlineMs, hedgeAfterMs, retry, connectionWaitMs } = this.#settings;
    return {
      retry,
      connectionWaitMs,
      isIdempotent: options.idempotent ?? true,
      deadlineMs: optionalDuration('deadlineMs', options.deadlineMs) ?? deadlineMs,
      hedgeAfterMs: optionalDuration('hedgeAfterMs', options.hedgeAfterMs) ?? hedgeAfterMs,
      signal: options.signal,
    };
  }
}
