import type { WebSocket } from 'uWebSockets.js';

/** What `send` of uWebSockets answers when nothing had to be buffered. */
const SENT = 1;
/** Longer frames leave as fragments of this many bytes, each when there is room for it. */
export const FRAGMENT_BYTES = 256 * 1024;
const MAX_WHOLE_BYTES = 1024 * 1024;
/** Fragments are handed to the socket while it holds less than this. */
const ROOM_BYTES = FRAGMENT_BYTES;
/** How long a slow reader has to take what the socket holds, and the close frame behind it. */
const PATIENCE_MS = 5_000;
/** Try again later. */
const TRY_AGAIN_LATER = 1013;

/** The longest close reason that a WebSocket close frame holds, in bytes. */
const MAX_REASON_BYTES = 123;

/** How uWebSockets sends fragments, which its types leave out. */
interface FragmentSocket {
  sendFirstFragment(fragment: Uint8Array, isBinary: boolean): number;
  sendFragment(fragment: Uint8Array): number;
  sendLastFragment(fragment: Uint8Array): number;
}

export interface OutletOptions {
  /** May wait for the reader; one frame more is taken, whatever its length. */
  maxBufferedBytes: number;
  /** The reader is cut off: nothing more is sent. Called once, from within `send`. */
  onSlowReader(): void;
}

/**
 * What leaves by one WebSocket, in order. Frames that the reader does not take wait here, up to a bound;
 * a reader that is further behind is cut off with 1013.
 */
export class Outlet {
  /** Frames that wait for a long one to leave, which is the first; `#offset` bytes of it have left. */
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #offset = 0;
  /** The socket held something when it was last given a frame. */
  #isBehind = false;
  #isClosed = false;
  #isCutOff = false;
  #patience: NodeJS.Timeout | undefined;
  /** Below uWebSockets' own bound, beyond which it loses frames. */
  readonly #room: number;

  constructor(
    private readonly socket: WebSocket<unknown>,
    private readonly options: OutletOptions,
  ) {
    this.#room = Math.min(ROOM_BYTES, options.maxBufferedBytes);
  }

  /** Bytes that the reader has not taken yet; the kernel's buffers are not counted. */
  get bufferedBytes(): number {
    return this.#isClosed ? 0 : this.#waitingBytes + this.socket.getBufferedAmount();
  }

  /** The reader was too slow; the connection is about to close. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /** Sends a frame, unless it is closed or cut off. A lent frame is gone when this returns. */
  send(frame: Uint8Array, isLent = false): void {
    if (this.#isClosed) return;
    if (this.#isBehind || frame.byteLength > MAX_WHOLE_BYTES) this.#sendBehind(frame, isLent);
    else this.#isBehind = this.socket.send(frame, true) !== SENT;
  }

  /** What is sent within `send` leaves together. */
  cork(send: () => void): void {
    if (this.#isClosed) send();
    else this.socket.cork(send);
  }

  /** Bounds what others put into the socket's buffer, as the answers to pings. */
  checkReader(): void {
    if (!this.#isCutOff && this.bufferedBytes > this.options.maxBufferedBytes) this.#cutOff();
  }

  /** The reader has taken something. */
  onDrain(): void {
    if (this.#isClosed) return;
    if (!this.#isCutOff) this.#pump();
    else if (this.socket.getBufferedAmount() === 0) this.end(TRY_AGAIN_LATER, 'too slow a reader');
  }

  /** Closes with a code and a reason; what waits is dropped. Does nothing if it is closed. */
  end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.socket.end(code, Buffer.from(reason).subarray(0, MAX_REASON_BYTES));
  }

  /** The socket is gone. */
  onClose(): void {
    this.#isClosed = true;
    this.#drop();
    clearTimeout(this.#patience);
  }

  #sendBehind(frame: Uint8Array, isLent: boolean): void {
    if (this.#isCutOff) return;
    if (this.bufferedBytes > this.options.maxBufferedBytes) return this.#cutOff();
    if (this.#waiting.length === 0 && frame.byteLength <= MAX_WHOLE_BYTES) {
      this.#isBehind = this.socket.send(frame, true) !== SENT;
      return;
    }
    this.#waiting.push(isLent ? frame.slice() : frame);
    this.#waitingBytes += frame.byteLength;
    this.#isBehind = true;
    this.#pump();
  }

  /** Sends what waits, as long as the socket has room. */
  #pump(): void {
    let [frame] = this.#waiting;
    while (frame && this.socket.getBufferedAmount() < this.#room) {
      if (frame.byteLength > MAX_WHOLE_BYTES) this.#sendFragment(frame);
      else this.#sendWhole(frame);
      [frame] = this.#waiting;
    }
    this.#isBehind = this.bufferedBytes > 0;
  }

  #sendWhole(frame: Uint8Array): void {
    this.socket.send(frame, true);
    this.#sent(frame, frame.byteLength);
  }

  #sendFragment(frame: Uint8Array): void {
    const socket = this.socket as unknown as FragmentSocket;
    const from = this.#offset;
    const fragment = frame.subarray(from, from + FRAGMENT_BYTES);
    if (from === 0) socket.sendFirstFragment(fragment, true);
    else if (from + fragment.byteLength < frame.byteLength) socket.sendFragment(fragment);
    else socket.sendLastFragment(fragment);
    this.#sent(frame, fragment.byteLength);
  }

  #sent(frame: Uint8Array, bytes: number): void {
    this.#offset += bytes;
    this.#waitingBytes -= bytes;
    if (this.#offset < frame.byteLength) return;
    this.#waiting.shift();
    this.#offset = 0;
  }

  /**
   * The close frame follows what the socket holds: it would be lost if it had to wait there with more
   * than uWebSockets' own bound, so it is sent once the reader has taken the rest.
   */
  #cutOff(): void {
    this.#isCutOff = true;
    this.#isBehind = true;
    this.#drop();
    this.#patience = setTimeout(() => this.socket.close(), PATIENCE_MS);
    this.options.onSlowReader();
  }

  #drop(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#offset = 0;
  }
}
