import { decodeMessage, encodeResult } from '../../src/rpc/frames.js';
import type { OpenSocket, Socket } from '../../src/client/socket.js';

/** A WebSocket that opens at once and keeps what it is given, until its test lets it take some. */
export class FakeSocket implements Socket {
  binaryType = '';
  bufferedAmount = 0;
  /** Sizes of the frames that it has been given. */
  readonly sizes: number[] = [];
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  readonly #msgids: number[] = [];

  constructor() {
    queueMicrotask(() => this.onopen?.({}));
  }

  send(data: Uint8Array): void {
    this.bufferedAmount += data.byteLength;
    this.sizes.push(data.byteLength);
    const message = decodeMessage(data);
    if (message.kind === 'request') this.#msgids.push(message.msgid);
  }

  close(): void {
    this.onclose?.({ code: 1006, reason: '' });
  }

  /** Sends on so many bytes. */
  take(bytes = this.bufferedAmount): void {
    this.bufferedAmount -= bytes;
  }

  /** The answer to the request that came last. */
  answer(result: unknown): void {
    const { buffer } = Uint8Array.from(encodeResult(this.#msgids.at(-1) ?? 0, result));
    this.onmessage?.({ data: buffer });
  }
}

/** Opens fake sockets, and keeps them in their order. */
export function fakeSockets(): { sockets: FakeSocket[]; openSocket: OpenSocket } {
  const sockets: FakeSocket[] = [];
  const openSocket: OpenSocket = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  return { sockets, openSocket };
}
