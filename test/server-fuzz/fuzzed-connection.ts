import { BINARY, CLOSE, closeCode, PING, PONG, RawWebSocket } from '../support/raw-websocket.js';
import type { RawFrame } from '../support/raw-websocket.js';
import { within } from '../support/until.js';
import { Expectations } from './expectations.js';
import { countIn, PATIENCE_MS, type Finding } from './finding.js';
import type { Frame } from './frames.js';

/** What came of the frames; findings are what must not happen. */
export interface RpcFuzzReport {
  frames: number;
  connections: number;
  answers: Map<string, number>;
  /** By code; 0 is a connection that was dropped for what is no WebSocket. */
  closes: Map<number, number>;
  findings: Finding[];
}

const CLOSE_CODES = new Set([1002, 1003, 1007, 1009]);
const DROPPED = 0;

/** Sends frames and checks what comes back. Its owner calls `end`. */
export class FuzzedConnection {
  #expected = new Expectations([]);
  #sent: Uint8Array[] = [];
  #closeCode: number | undefined;

  private constructor(
    private readonly raw: RawWebSocket,
    private readonly report: RpcFuzzReport,
  ) {}

  /** Nothing if the server does not take it, which it must: that is a find. */
  static async open(url: string, report: RpcFuzzReport): Promise<FuzzedConnection | undefined> {
    const raw = await within(PATIENCE_MS, RawWebSocket.connect(url)).catch(String);
    if (typeof raw === 'string') {
      report.findings.push({ what: raw, kind: 'websocket', sent: new Uint8Array() });
      return undefined;
    }
    raw.read();
    report.connections++;
    return new FuzzedConnection(raw, report);
  }

  /** Every request among the frames is answered, or one that may do so closes the connection with a code. */
  async exchange(frames: readonly Frame[], wire: Uint8Array): Promise<void> {
    this.#expected = new Expectations(frames);
    this.#write(wire);
    this.report.frames += frames.length;
    await this.#until(() => this.#expected.areMet || this.#isClosed);
    if (this.#expected.areMet) return;
    const { missing } = this.#expected;
    if (!this.#isClosed) this.#find(`${missing} requests without an answer`);
    else if (!frames.some(({ mayEnd }) => mayEnd)) this.#find(`closed by what is no reason to`);
    else this.#checkClose(false);
  }

  /** Sends what is no whole message, perhaps, and nothing more: the server closes the connection. */
  async sendLast(wire: Uint8Array, mayDrop: boolean): Promise<void> {
    this.#expected = new Expectations([], Infinity);
    this.#write(wire);
    this.report.frames++;
    if (mayDrop) this.raw.socket.end();
    await this.#until(() => this.#isClosed);
    if (this.#isClosed) this.#checkClose(mayDrop);
    else this.#find('not closed');
  }

  /** Abruptly, so that no port must rest for a minute: there are hundreds of connections a second. */
  end(): void {
    this.raw.socket.resetAndDestroy();
  }

  get #isClosed(): boolean {
    return this.#closeCode !== undefined || this.raw.socket.closed;
  }

  #write(wire: Uint8Array): void {
    this.#sent.push(wire);
    this.raw.socket.write(wire);
  }

  /** Resolves when that is so, or after too long. */
  async #until(isSettled: () => boolean): Promise<void> {
    const settled = this.raw.until(() => {
      for (const frame of this.raw.frames.splice(0)) this.#take(frame);
      return isSettled() || this.raw.socket.closed;
    });
    await within(PATIENCE_MS, settled).catch(() => {});
  }

  #take({ opcode, isFinal, payload }: RawFrame): void {
    if (opcode === PING || opcode === PONG) return;
    if (opcode === CLOSE) {
      this.#closeCode = payload.length < 2 ? DROPPED : closeCode({ opcode, isFinal, payload });
      return;
    }
    const problem =
      opcode === BINARY && isFinal
        ? this.#expected.take(payload, (code) => countIn(this.report.answers, code))
        : `a message of opcode ${opcode}`;
    if (problem !== undefined) this.#find(problem);
  }

  /** What breaks the WebSocket's rules is dropped without a code; a close is answered with its own one. */
  #checkClose(mayDrop: boolean): void {
    const code = this.#closeCode ?? DROPPED;
    countIn(this.report.closes, code);
    if (!mayDrop && !CLOSE_CODES.has(code)) this.#find(`closed with ${code}`);
  }

  #find(what: string): void {
    this.report.findings.push({ what, kind: 'websocket', sent: Buffer.concat(this.#sent) });
  }
}
