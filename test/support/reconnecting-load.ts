import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromFloat32, RawRpc, shiftRequest, type WireError } from './raw-rpc.js';

/** A request whose connection closed before the answer. */
export interface LostRequest {
  at: number;
  /** The client's port of that connection. */
  port: number;
  closeCode: number;
}

const RECONNECT_PAUSE_MS = 10;

/**
 * Clients of the fixture `shift`, written from the protocol's description alone. Each asks
 * `pauseMs` after it was answered, on one connection, and makes another when that closes.
 */
export class ReconnectingLoad {
  requests = 0;
  /** Attempts to connect that failed. */
  refused = 0;
  connections = 0;
  readonly lost: LostRequest[] = [];
  readonly errors: WireError[] = [];
  /** Answers that no version gives. */
  readonly wrong: string[] = [];
  /** By client: the version that answered last. */
  readonly newest: number[];
  #running = true;
  readonly #done: Promise<unknown>;

  constructor(
    private readonly url: () => string,
    clients: number,
    private readonly pauseMs = 0,
  ) {
    this.newest = Array.from({ length: clients }, () => 0);
    this.#done = Promise.all(this.newest.map((_, client) => this.#drive(client)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #drive(client: number): Promise<void> {
    while (this.#running) {
      const rpc = await this.#connect();
      if (rpc) await this.#ask(rpc, client);
      else await sleep(RECONNECT_PAUSE_MS);
    }
  }

  async #connect(): Promise<RawRpc | undefined> {
    try {
      const rpc = await RawRpc.connect(this.url());
      this.connections++;
      return rpc;
    } catch {
      this.refused++;
      return undefined;
    }
  }

  /** Asks until the connection closes. */
  async #ask(rpc: RawRpc, client: number): Promise<void> {
    const port = localPort(rpc);
    const closed = rpc.closed.then(({ code }) => ({ closeCode: code }));
    for (let value = 0; this.#running && isOpen(rpc); value = (value + 1) % 1000) {
      this.requests++;
      const answer = rpc.call('infer', shiftRequest([value, 0, 0, 0]));
      const outcome = await Promise.race([answer, closed]);
      if ('closeCode' in outcome) this.lost.push({ at: Date.now(), port, ...outcome });
      else this.#onAnswer(value, client, outcome);
      if (this.pauseMs > 0) await sleep(this.pauseMs);
    }
    rpc.close();
  }

  #onAnswer(value: number, client: number, outcome: Awaited<ReturnType<RawRpc['call']>>): void {
    const { error, result } = outcome;
    if (error) {
      this.errors.push(error);
      return;
    }
    const answer = fromFloat32(result.outputs.y as never)[0];
    if (answer !== value + result.version) this.wrong.push(`${value} → ${answer}`);
    this.newest[client] = result.version;
  }
}

function isOpen({ socket }: RawRpc): boolean {
  return socket.readyState === socket.OPEN;
}

/** The ws package keeps its TCP socket to itself. */
function localPort({ socket }: RawRpc): number {
  return (socket as unknown as { _socket: Socket })._socket.localPort ?? 0;
}
