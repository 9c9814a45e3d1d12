import { decode, encode } from '@msgpack/msgpack';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

/** What came over one connection: a request, or a notification (without a msgid). */
export interface Received {
  socket: WebSocket;
  msgid?: number;
  method: string;
  params: unknown[];
}

/** Answers a request, or doesn't. */
export type Behaviour = (request: Received, server: FakeRpcServer) => void;

/**
 * A MessagePack-RPC server that knows nothing of Warmswap, with another MessagePack library. It does
 * what its test says and keeps what has come.
 */
export class FakeRpcServer {
  readonly received: Received[] = [];
  connections = 0;
  readonly #waiters = new Set<() => void>();

  private constructor(
    private readonly server: WebSocketServer,
    private readonly behaviour: Behaviour,
  ) {
    server.on('connection', (socket) => this.#onConnection(socket));
  }

  /** Ends at the end of the test. */
  static async start(behaviour: Behaviour, port = 0): Promise<FakeRpcServer> {
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    await once(server, 'listening');
    const fake = new FakeRpcServer(server, behaviour);
    onTestFinished(() => fake.stop());
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Ends all connections, and listens no longer. */
  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Ends all connections without a close frame. */
  cut(): void {
    for (const socket of this.server.clients) socket.terminate();
  }

  /** Resolves when so many connections have been opened, and those that are there are open at both ends. */
  async opened(count = 1): Promise<void> {
    while (this.connections < count) await this.#something();
    const pongs = [...this.server.clients].map(async (socket) => {
      const pong = once(socket, 'pong');
      socket.ping();
      await pong;
    });
    await Promise.all(pongs);
  }

  /** The `count`-th message of this method, past or to come. */
  async next(method: string, count = 1): Promise<Received> {
    for (;;) {
      const found = this.received.filter((message) => message.method === method)[count - 1];
      if (found) return found;
      await this.#something();
    }
  }

  count(method: string): number {
    return this.received.filter((message) => message.method === method).length;
  }

  /** A notification to all who are connected. */
  notify(method: string, ...params: unknown[]): void {
    for (const socket of this.server.clients) socket.send(encode([2, method, params]));
  }

  #onConnection(socket: WebSocket): void {
    this.connections++;
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const message = decode(data as Buffer) as unknown[];
      const received = toReceived(socket, message);
      this.received.push(received);
      if (received.msgid !== undefined) this.behaviour(received, this);
      this.#wake();
    });
    this.#wake();
  }

  /** Until a connection or a message has come. */
  #something(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

function toReceived(socket: WebSocket, message: unknown[]): Received {
  const [method, params] = message.slice(-2) as [string, unknown[]];
  if (message[0] === 2) return { socket, method, params };
  return { socket, msgid: message[1] as number, method, params };
}

export function answer({ socket, msgid }: Received, result: unknown): void {
  socket.send(encode([1, msgid, null, result]));
}

export function refuse({ socket, msgid }: Received, error: unknown): void {
  socket.send(encode([1, msgid, error, null]));
}

/** Gives every value back. */
export const echo: Behaviour = (request) => answer(request, request.params[0]);

/** Never answers. */
export const silent: Behaviour = () => {};
