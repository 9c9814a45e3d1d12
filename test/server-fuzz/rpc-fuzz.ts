import { maskedFrame } from '../support/raw-websocket.js';
import { anyFrame } from './any-frame.js';
import { FuzzedConnection, type RpcFuzzReport } from './fuzzed-connection.js';
import type { Frame, FrameSource } from './frames.js';
import { framed, misframed } from './framing.js';
import type { Random } from '../support/random.js';

const MISFRAMED_ONE_IN = 20;
const MOST_FINDINGS = 20;

/**
 * Sends batches, each over a connection of its own. A connection begins with right requests, so that the
 * server is seen to be well after each batch.
 */
export class RpcFuzz {
  constructor(
    private readonly url: string,
    private readonly source: FrameSource,
    private readonly random: Random,
    private readonly report: RpcFuzzReport,
  ) {}

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver() && this.report.findings.length < MOST_FINDINGS) {
      if (this.random.once(MISFRAMED_ONE_IN)) await this.#sendMisframed();
      else await this.#sendBatch();
    }
  }

  /** A past find: one message. */
  replayFrame(bytes: Uint8Array): Promise<void> {
    const frame = anyFrame(bytes);
    return this.#on((connection) => this.#exchange(connection, [frame], maskedFrame(bytes)));
  }

  /** A past find: whatever came behind the upgrade. */
  replayStream(bytes: Uint8Array): Promise<void> {
    return this.#on((connection) => connection.sendLast(bytes, true));
  }

  /** Whether the server is well. */
  probe(): Promise<void> {
    return this.#on(() => Promise.resolve());
  }

  #sendBatch(): Promise<void> {
    return this.#on((connection) => {
      const frames = this.source.batch();
      const wire = Buffer.concat(frames.map(({ bytes }) => framed(bytes, this.random)));
      return this.#exchange(connection, frames, wire);
    });
  }

  #sendMisframed(): Promise<void> {
    const [right] = this.source.rightOnes();
    const { bytes, isBroken } = misframed(right.bytes, this.random);
    return this.#on((connection) => connection.sendLast(bytes, isBroken));
  }

  /** With a `ping` behind them, so that the server is known to have read them all. */
  #exchange(
    connection: FuzzedConnection,
    frames: readonly Frame[],
    wire: Uint8Array,
  ): Promise<void> {
    const end = this.source.end();
    return connection.exchange([...frames, end], Buffer.concat([wire, maskedFrame(end.bytes)]));
  }

  async #on(use: (connection: FuzzedConnection) => Promise<void>): Promise<void> {
    const connection = await FuzzedConnection.open(this.url, this.report);
    if (!connection) return;
    try {
      const right = this.source.rightOnes();
      const wire = Buffer.concat(right.map(({ bytes }) => maskedFrame(bytes)));
      await connection.exchange(right, wire);
      await use(connection);
    } finally {
      connection.end();
    }
  }
}
