import { setImmediate } from 'node:timers/promises';
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import { OPEN, type Grant } from '../access/grant.js';
import type { AccessSettings } from '../access/settings.js';
import type { DaemonConfig } from '../config/schema.js';
import type { Registry } from '../registry/registry.js';
import { BusyPoll } from './busy-poll.js';
import { Gate, type Admission } from './gate.js';
import { Exchange } from './http/exchange.js';
import { InferenceHttp } from './http/inference-http.js';
import { clientOf } from './client-name.js';
import { ConnectionLimit } from './connection-limit.js';
import { Listener } from './listener.js';
import { noLimitCounts, type LimitCounts } from '../telemetry/limit-counts.js';
import { createMethods, type Method } from './methods.js';
import { rateOf, RateLimit } from './rate-limit.js';
import { RpcConnection, type ConnectionContext } from './rpc-connection.js';
import { Subscriptions } from './subscriptions.js';

interface SocketData {
  grant: Grant;
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
  readonly gate: Gate;
  readonly methods: ReadonlyMap<string, Method>;
  readonly maxMessageBytes: number;
  readonly maxInflight: number;
  readonly maxBufferedBytes: number;
  readonly limited: LimitCounts = noLimitCounts();
  readonly rateLimit: RateLimit | undefined;
  readonly busyPoll: BusyPoll;
  readonly #limits: DaemonConfig['limits'];
  readonly #connections = new Set<RpcConnection>();
  readonly #http: InferenceHttp;
  readonly #listener: Listener;
  readonly #open: ConnectionLimit;
  #draining = false;
  #onAllDone: (() => void) | undefined;

  constructor(
    readonly registry: Registry,
    limits: DaemonConfig['limits'],
    busyPollMs: number,
    access: AccessSettings,
    /** Called behind each message and body that may have taken long. */
    readonly onProgress: () => void,
  ) {
    this.gate = new Gate(access);
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
    this.#listener = new Listener(access.tls, (app) => {
      this.#limitConnections(app);
      this.#addRpcRoute(app);
      this.#http.addTo(app);
    });
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
    return this.#listener.listen(host, port);
  }

  /**
   * Lets come in who may from now on, and closes with 1008 the connections of those who may no more. What
   * is in flight on them is cancelled. Throws FAILED_PRECONDITION for a certificate that cannot be used; the
   * old one stays then, and all else is done.
   */
  setAccess(access: AccessSettings): void {
    this.gate.follow(access);
    for (const connection of [...this.#connections]) {
      const grant = this.gate.readmit(connection.grant);
      if (grant) connection.grant = grant;
      else connection.end(1008, 'the token is valid no more');
    }
    if (access.tls && !this.#draining) this.#listener.setCertificate(access.tls);
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
    this.#listener.stop();
    for (const connection of this.#connections) connection.drain();
    this.#http.drain();
    await this.#allDoneWithin(timeoutMs);
    this.#http.close();
    for (const connection of [...this.#connections]) connection.end(1001, 'shutting down');
    this.#listener.close();
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

  #limitConnections(app: TemplatedApp): void {
    app.filter((response, change) => {
      if (Number(change) < 0) this.#open.onClose();
      else if (!this.#open.onOpen()) response.close();
    });
  }

  #addRpcRoute(app: TemplatedApp): void {
    app.ws<SocketData>('/rpc', {
      maxPayloadLength: this.#limits.maxMessageBytes * REFUSABLE_EXCESS,
      // The connection's own check comes first, and tells the client.
      maxBackpressure: this.#limits.maxBufferedBytesPerConnection,
      closeOnBackpressureLimit: true,
      idleTimeout: Math.ceil(this.#limits.idleTimeout / 1000),
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => {
        this.#open.onUpgrade();
        const data = socket.getUserData();
        const connection = new RpcConnection(socket, this, data);
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
    const admission = this.#admitUpgrade(response, request);
    if (!admission) return;
    response.upgrade<SocketData>(
      { grant: admission.grant, client: clientOf(admission.grant, response.getRemoteAddress()) },
      request.getHeader('sec-websocket-key'),
      admission.protocol,
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  /** Nothing if the answer was a refusal. */
  #admitUpgrade(response: HttpResponse, request: HttpRequest): Admission | undefined {
    try {
      return this.gate.admitUpgrade(request);
    } catch (error) {
      this.#refuseUpgrade(response, error);
      return undefined;
    }
  }

  /** It counts as a request of the address: tokens must not be guessed at any speed. */
  #refuseUpgrade(response: HttpResponse, error: unknown): void {
    const exchange = new Exchange(response, {
      isHead: false,
      isClosing: () => true,
      onEnd: () => {},
      onSlowReader: () => {},
    });
    try {
      this.rateLimit?.admit(clientOf(OPEN, response.getRemoteAddress()));
      exchange.refuse(error);
    } catch (overRate) {
      exchange.refuse(overRate);
    }
  }
}
