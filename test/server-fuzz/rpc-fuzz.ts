import { decode } from '@msgpack/msgpack';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Frame, FrameSource } from './frames.js';
import { MsgpackWriter } from './msgpack-writer.js';
import type { Random } from '../support/random.js';

/** What came of the frames; findings are what must not happen. */
export interface RpcFuzzReport {
  frames: number;
  connections: number;
  answers: Map<string, number>;
  closes: Map<number, number>;
  findings: Finding[];
}

export interface Finding {
  what: string;
  /** The last frames before it. */
  frames: readonly Uint8Array[];
}

const BATCH = 32;
/** One in so many frames is broken, which mostly ends its connection. */
const BROKEN_ONE_IN = 200;
const CLOSE_CODES = new Set([1002, 1003, 1007, 1009]);
/** What a request may be answered with; INTERNAL and UNAVAILABLE would be the server's fault. */
const CODES = new Set([
  ...['INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED'],
  ...['DEADLINE_EXCEEDED', 'CANCELLED', 'FAILED_PRECONDITION'],
]);
const MOST_FINDINGS = 20;
/** Right requests of a connection that may be without an answer at a time. */
const MOST_UNANSWERED = 512;
const PATIENCE_MS = 20_000;
/** Of the `ping` behind each batch; fuzzed frames have other ones. */
const PING_MSGID = 0xffff_ffff;

/** Sends frames over one connection after another until `isOver`. */
export async function fuzzRpc(
  url: string,
  source: FrameSource,
  random: Random,
  report: RpcFuzzReport,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver() && report.findings.length < MOST_FINDINGS) {
    const connection = await FuzzedConnection.open(url, random, report);
    while (!isOver() && (await connection.sendBatch(source)));
    connection.end();
  }
}

class FuzzedConnection {
  readonly #ping: Uint8Array;
  readonly #expected = new Map<number, Float32Array>();
  #batch: Uint8Array[] = [];
  #lastMsgid = 0;
  #isClosed = false;
  #isOurs = false;
  #onPong: () => void = () => {};

  private constructor(
    private readonly socket: WebSocket,
    private readonly random: Random,
    private readonly report: RpcFuzzReport,
  ) {
    this.#ping = new MsgpackWriter(random).write([0, PING_MSGID, 'ping', ['end']]);
    socket.on('message', (data) => this.#onMessage(new Uint8Array(data as ArrayBuffer)));
    socket.on('close', (code) => this.#onClose(code));
    socket.on('error', () => {});
  }

  static async open(url: string, random: Random, report: RpcFuzzReport): Promise<FuzzedConnection> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.binaryType = 'arraybuffer';
    await once(socket, 'open');
    report.connections++;
    return new FuzzedConnection(socket, random, report);
  }

  /** Resolves when the server has read all of it; false once the connection is closed. */
  async sendBatch(source: FrameSource): Promise<boolean> {
    this.#batch = [];
    for (let i = 0; i < BATCH && !this.#isClosed; i++) this.#send(this.#next(source));
    const isRead = new Promise<void>((resolve) => (this.#onPong = resolve));
    if (!this.#isClosed) this.socket.send(this.#ping);
    const timer = setTimeout(() => this.#find(`no answer within ${PATIENCE_MS} ms`), PATIENCE_MS);
    if (!this.#isClosed) await isRead;
    clearTimeout(timer);
    if (this.#expected.size > MOST_UNANSWERED) this.#find('right requests are not answered');
    return !this.#isClosed;
  }

  end(): void {
    this.#isOurs = true;
    this.socket.terminate();
  }

  #next(source: FrameSource): Frame {
    const msgid = ++this.#lastMsgid;
    return this.random.once(BROKEN_ONE_IN) ? source.broken(msgid) : source.wellFormed(msgid);
  }

  #send({ bytes, expected }: Frame): void {
    this.report.frames++;
    this.#batch.push(bytes);
    if (expected) this.#expected.set(expected.msgid, expected.y);
    this.socket.send(bytes);
  }

  #onMessage(bytes: Uint8Array): void {
    let message: unknown;
    try {
      message = decode(bytes, { useBigInt64: true });
    } catch (error) {
      return this.#find(`an answer that is no MessagePack: ${String(error)}`);
    }
    if (!Array.isArray(message)) return this.#find(`an answer ${JSON.stringify(message)}`);
    const [type, msgid, error, result] = message as [unknown, unknown, unknown, unknown];
    if (type === 2) return;
    if (type !== 1 || message.length !== 4) return this.#find('a message that is no response');
    if (msgid === PING_MSGID && result === 'end') return this.#onPong();
    this.#checkAnswer(Number(msgid), error, result);
  }

  #checkAnswer(msgid: number, error: unknown, result: unknown): void {
    const code = error === null ? 'OK' : (error as { code?: unknown }).code;
    if (typeof code !== 'string' || (code !== 'OK' && !CODES.has(code))) {
      this.#find(`answered with ${JSON.stringify(error)}`);
      return;
    }
    this.report.answers.set(code, (this.report.answers.get(code) ?? 0) + 1);
    const y = this.#expected.get(msgid);
    if (!y || code === 'RESOURCE_EXHAUSTED' || code === 'CANCELLED') return;
    const data = (result as { outputs?: { y?: { data?: Uint8Array } } } | null)?.outputs?.y?.data;
    const isRight = data && Buffer.from(y.buffer).equals(data);
    if (!isRight) this.#find(`a right request was answered with ${code}`);
    this.#expected.delete(msgid);
  }

  #onClose(code: number): void {
    this.#isClosed = true;
    if (!this.#isOurs) this.report.closes.set(code, (this.report.closes.get(code) ?? 0) + 1);
    this.#onPong();
    if (!this.#isOurs && !CLOSE_CODES.has(code)) this.#find(`closed with ${code}`);
  }

  #find(what: string): void {
    this.report.findings.push({ what, frames: this.#batch });
    this.end();
  }
}
