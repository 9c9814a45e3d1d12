import { setImmediate } from 'node:timers/promises';
import uWS, {
  type HttpRequest,
  type HttpResponse,
  type us_listen_socket,
  type us_socket_context_t,
} from 'uWebSockets.js';
import type { DaemonConfig } from '../config/schema.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Registry } from '../registry/registry.js';
import { BusyPoll } from './busy-poll.js';
import { InferenceHttp } from './http/inference-http.js';
import { clientOf } from './client-address.js';
import { ConnectionLimit } from './connection-limit.js';
import { noLimitCounts, type LimitCounts } from '../telemetry/limit-counts.js';
import { createMethods, type Method } from './methods.js';
import { rateOf, RateLimit } from './rate-limit.js';
import { RpcConnection, type ConnectionContext } from './rpc-connection.js';
import { Subscriptions } from './subscriptions.js';

interface SocketData {
  /** Who is behind it: see RateLimit. */
  client: string;
  connection?: RpcConnection;
}

/**
 * uWebSockets drops a connection without a close frame when a message is longer than its own limit,
 * so that limit is higher than ours: up to it, a client is told why (1009).
 */
const REFUSABLE_EXCESS = 2;

/** The public port of one worker: MessagePack-RPC at /rpc, the Open Inference Protocol over HTTP. */
export class DataPlane implements ConnectionContext {
  /** Who gets the daemon's events. */
  readonly subscriptions = new Subscriptions();
  readonly methods: ReadonlyMap<string, Method>;
  readonly maxMessageBytes: number;
  readonly maxInflight: number;
  readonly maxBufferedBytes: number;
  readonly limited: LimitCounts = noLimitCounts();
  readonly rateLimit: RateLimit | undefined;
  readonly busyPoll: BusyPoll;
  readonly #limits: DaemonConfig['limits'];
  readonly #app = uWS.App();
  readonly #connections = new Set<RpcConnection>();
  readonly #http: InferenceHttp;
  readonly #open: ConnectionLimit;
  #listenSocket: us_listen_socket | undefined;
  #draining = false;
  #onAllDone: (() => void) | undefined;

  constructor(
    readonly registry: Registry,
    limits: DaemonConfig['limits'],
    busyPollMs: number,
  ) {
    this.#limits = limits;
    this.methods = createMethods(registry, this.subscriptions);
    this.maxMessageBytes = limits.maxMessageBytes;
    this.maxInflight = limits.maxInflightPerConnection;
    this.maxBufferedBytes = limits.maxBufferedBytesPerConnection;
    this.rateLimit =
      limits.rate && new RateLimit(rateOf(limits.rate), () => this.limited.overRate++);
    this.#open = new ConnectionLimit(limits.maxConnections, () => this.limited.overConnections++);
    this.busyPoll = new BusyPoll(busyPollMs, () => registry.lane.isBusy);
    this.#http = new InferenceHttp(this);
    this.#limitConnections();
    this.#addRpcRoute();
    this.#http.addTo(this.#app);
  }

  get draining(): boolean {
    return this.#draining;
  }

  get keepsConnections(): boolean {
    return !this.#draining && !this.#open.isExceeded;
  }

  get bodyTimeoutMs(): number {
    return this.#limits.bodyTimeout;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get inflight(): number {
    let sum = this.#http.inflight;
    for (const connection of this.#connections) sum += connection.inflight;
    return sum;
  }

  /** Listens beside the other workers (SO_REUSEPORT); rejects with UNAVAILABLE. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, (socket) => {
        if (!socket) {
          reject(new WarmswapError('UNAVAILABLE', `cannot listen on ${host}:${port}`));
          return;
        }
        this.#listenSocket = socket;
        resolve();
      });
    });
  }

  /**
   * Takes no more connections, and closes each one with 1001 when its requests are answered, or
   * after `timeoutMs`. A request over RPC is refused as UNAVAILABLE if others of its connection are in
   * flight. Requests over HTTP are served, and their connections closed behind the answers; what is
   * open then is idle.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    // Who has connected already is let in: closing the port would reset those that are not accepted yet.
    await setImmediate();
    if (this.#listenSocket) uWS.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
    for (const connection of this.#connections) connection.drain();
    this.#http.drain();
    await this.#allDoneWithin(timeoutMs);
    this.#http.close();
    for (const connection of [...this.#connections]) connection.end(1001, 'shutting down');
    this.#app.close();
  }

  onIdle(): void {
    if (this.#isDone()) this.#onAllDone?.();
  }

  /** No WebSocket is open, and nothing comes over HTTP any more. */
  #isDone(): boolean {
    return this.#connections.size === 0 && this.#http.isDrained;
  }

  #allDoneWithin(timeoutMs: number): Promise<void> {
    if (this.#isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onAllDone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #limitConnections(): void {
    this.#app.filter((response, change) => {
      if (Number(change) < 0) this.#open.onClose();
      else if (!this.#open.onOpen()) response.close();
    });
  }

  #addRpcRoute(): void {
    this.#app.ws<SocketData>('/rpc', {
      maxPayloadLength: this.#limits.maxMessageBytes * REFUSABLE_EXCESS,
      // The connection's own check comes first, and tells the client.
      maxBackpressure: this.#limits.maxBufferedBytesPerConnection,
      closeOnBackpressureLimit: true,
      idleTimeout: Math.ceil(this.#limits.idleTimeout / 1000),
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => {
        this.#open.onUpgrade();
        const data = socket.getUserData();
        const connection = new RpcConnection(socket, this, data.client);
        data.connection = connection;
        this.#connections.add(connection);
        if (this.#draining) connection.drain();
      },
      message: (socket, frame, isBinary) =>
        socket.getUserData().connection?.onMessage(frame, isBinary),
      ping: (socket) => socket.getUserData().connection?.onPing(),
      drain: (socket) => socket.getUserData().connection?.onDrain(),
      close: (socket) => {
        this.#open.onWebSocketClose();
        const { connection } = socket.getUserData();
        connection?.onClose();
        if (connection) {
          this.#connections.delete(connection);
          this.subscriptions.remove(connection);
        }
        this.onIdle();
      },
    });
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    if (!this.#open.admitsWebSocket()) {
      const error = `${this.#limits.maxConnections} connections are open already`;
      response.writeStatus('503 Service Unavailable').end(JSON.stringify({ error }), true);
      return;
    }
    response.upgrade<SocketData>(
      { client: clientOf(response.getRemoteAddress()) },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }
}
