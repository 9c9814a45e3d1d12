import { toWarmswapError, WarmswapError } from '../rpc/errors.js';
import { backoffDelayMs, type Backoff } from './backoff.js';
import {
  Connection,
  type ConnectionSettings,
  type OnReply,
  type Reply,
  type Sent,
} from './connection.js';
import type { Candidate } from './picker.js';
import type { RequestFrame } from './request-frame.js';
import type { Credentials, OpenSocket } from './socket.js';
import { Timer } from './timer.js';

export interface EndpointSettings extends ConnectionSettings {
  readonly openSocket: OpenSocket;
  readonly credentials: Credentials;
  readonly maxInFlight: number;
  readonly reconnect: Backoff;
}

export interface EndpointEvents {
  /** It is connected, for the first time or again. */
  onUp(endpoint: Endpoint): void;
  /** It could not connect, or is connected no longer; it goes on trying. */
  onDown(endpoint: Endpoint): void;
  /** A request has ended: there may be room for another. */
  onRoom(): void;
  onNotification(endpoint: Endpoint, method: string, params: readonly unknown[]): void;
}

/** How long one that answered UNAVAILABLE is taken only if there is no other. */
const SUSPECT_MS = 1_000;

/**
 * A place to send requests to: one URL, and one connection to it at a time, which is opened again
 * with backoff whenever it ends. Its owner calls `start` once, and `close` or `destroy`.
 */
export class Endpoint implements Candidate {
  #connection: Connection | undefined;
  readonly #reconnectTimer = new Timer();
  #state: 'connecting' | 'up' | 'waiting' | 'closed' = 'waiting';
  #failures = 0;
  #upSince = 0;
  #suspectUntil = 0;
  #lastError = new WarmswapError('UNAVAILABLE', 'it has not connected yet');
  #onClosed: (() => void) | undefined;

  constructor(
    private readonly settings: EndpointSettings,
    private readonly events: EndpointEvents,
  ) {}

  get url(): string {
    return this.settings.url;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  get isReady(): boolean {
    return this.isUp && this.inFlight < this.settings.maxInFlight;
  }

  get inFlight(): number {
    return this.#connection?.inFlight ?? 0;
  }

  get isSuspect(): boolean {
    return this.#suspectUntil > 0 && performance.now() < this.#suspectUntil;
  }

  /** It is not connected, and has failed to be since it last was. */
  get hasFailed(): boolean {
    return !this.isUp && this.#failures > 0;
  }

  /** It is not connected, and was refused when it last tried: for example for its token. It goes on trying. */
  get isRefused(): boolean {
    return this.hasFailed && !this.#lastError.retryable;
  }

  /** Why it last went down, or could not connect. */
  get lastError(): WarmswapError {
    return this.#lastError;
  }

  start(): void {
    this.#connect();
  }

  /** Sends a request; it must be up. `onReply` is called once, later, unless it is cancelled. */
  send(frame: RequestFrame, onReply: OnReply): Sent {
    const connection = this.#connection;
    if (!connection) throw new WarmswapError('UNAVAILABLE', `not connected to ${this.url}`);
    const sent = connection.send(frame, (reply) => {
      this.#judge(reply);
      onReply(reply);
      this.events.onRoom();
    });
    return {
      isTaken: sent.isTaken,
      cancel: () => {
        sent.cancel();
        this.events.onRoom();
      },
    };
  }

  /** Closes in an orderly way; resolves when it is closed, at the latest after the time-out. */
  async close(): Promise<void> {
    this.#reconnectTimer.clear();
    this.#state = 'closed';
    if (!this.#connection) return;
    const closed = new Promise<void>((resolve) => (this.#onClosed = resolve));
    this.#connection.close();
    await closed;
  }

  /** Ends at once; what is in flight is lost. */
  destroy(reason: string): void {
    this.#reconnectTimer.clear();
    this.#state = 'closed';
    this.#connection?.destroy(reason);
  }

  #connect(): void {
    this.#state = 'connecting';
    try {
      const { openSocket, credentials } = this.settings;
      const socket = openSocket(this.url, credentials);
      this.#connection = new Connection(
        socket,
        {
          onOpen: () => this.#onOpen(),
          onAnswer: () => (this.#failures = 0),
          onNotification: (method, params) => this.events.onNotification(this, method, params),
          onEnd: (error) => this.#onEnd(error),
        },
        this.settings,
      );
    } catch (error) {
      this.#onEnd(toWarmswapError(error));
    }
  }

  #onOpen(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'up';
    this.#upSince = performance.now();
    this.#suspectUntil = 0;
    this.events.onUp(this);
  }

  #onEnd(error: WarmswapError): void {
    const { reconnect } = this.settings;
    this.#connection = undefined;
    this.#lastError = error;
    this.#onClosed?.();
    if (this.#state === 'closed') return;
    if (this.isUp && performance.now() - this.#upSince > reconnect.maxMs) this.#failures = 0;
    this.#state = 'waiting';
    const delayMs = backoffDelayMs(++this.#failures, reconnect, Math.random);
    this.#reconnectTimer.set(delayMs, () => this.#connect());
    this.events.onDown(this);
  }

  #judge(reply: Reply): void {
    const isAway = reply.kind === 'error' && reply.error.code === 'UNAVAILABLE';
    if (isAway) this.#suspectUntil = performance.now() + SUSPECT_MS;
  }
}
