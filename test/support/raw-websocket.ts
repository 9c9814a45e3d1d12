import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One frame as it came: servers do not mask theirs. */
export interface RawFrame {
  isFinal: boolean;
  opcode: number;
  payload: Buffer;
}

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** A WebSocket by hand, over a socket that reads only when it is told to. */
export class RawWebSocket {
  readonly frames: RawFrame[] = [];
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #onChange: () => void = () => {};

  private constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('close', () => this.#onChange());
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#takeFrames();
      this.#onChange();
    });
  }

  /** Resolves when the connection is upgraded; it does not read then. */
  static async connect(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawWebSocket> {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n${more.join('')}\r\n`,
    );
    const head = await readHead(socket);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`not upgraded: ${head}`);
    return new RawWebSocket(socket.pause());
  }

  /** Sends one whole, masked frame. */
  send(payload: Uint8Array, opcode = BINARY): void {
    this.socket.write(maskedFrame(payload, opcode));
  }

  read(): void {
    this.socket.resume();
  }

  /** Resolves when `isThere` holds for the frames, rejects if the connection closes before. */
  async until(isThere: (frames: readonly RawFrame[]) => boolean): Promise<readonly RawFrame[]> {
    while (!isThere(this.frames)) {
      if (this.socket.closed) throw new Error(`closed after ${this.frames.length} frames`);
      await new Promise<void>((resolve) => (this.#onChange = resolve));
    }
    return this.frames;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #takeFrames(): void {
    for (let frame = parse(this.#received); frame; frame = parse(this.#received)) {
      this.#received = this.#received.subarray(frame.bytes);
      this.frames.push(frame);
    }
  }
}

/** The code of a close frame. */
export function closeCode({ payload }: RawFrame): number {
  return payload.readUInt16BE(0);
}

/** Reads no byte beyond the head. */
async function readHead(socket: Socket): Promise<string> {
  let head = '';
  while (!head.endsWith('\r\n\r\n')) {
    const byte = socket.read(1) as Buffer | null;
    if (byte) head += byte.toString('latin1');
    else await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
    if (socket.closed) throw new Error(`closed after '${head}'`);
  }
  return head;
}

/** Masked with zeros, which leave the payload as it is. */
export function maskedFrame(payload: Uint8Array, opcode = BINARY, isFinal = true): Buffer {
  return Buffer.concat([header(opcode, isFinal, payload.length), payload]);
}

function header(opcode: number, isFinal: boolean, length: number): Buffer {
  const mask = Buffer.alloc(4);
  const first = Buffer.of((isFinal ? 0x80 : 0) | opcode);
  if (length < 126) return Buffer.concat([first, Buffer.of(0x80 | length), mask]);
  const long = Buffer.alloc(length < 65_536 ? 2 : 8);
  if (long.length === 2) long.writeUInt16BE(length);
  else long.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([first, Buffer.of(0x80 | (long.length === 2 ? 126 : 127)), long, mask]);
}

function parse(bytes: Buffer): (RawFrame & { bytes: number }) | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  const first = bytes[0] as number;
  return { isFinal: first >= 0x80, opcode: first & 0x0f, payload, bytes: start + length };
}
