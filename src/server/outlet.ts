import type { WebSocket } from 'uWebSockets.js';
import type { Frame } from '../registry/registry.js';

/** What `send` of uWebSockets answers when nothing had to be buffered. */
const SENT = 1;
/** Longer frames, and those in pieces, leave as fragments of so many bytes at most, when there is room. */
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

export function bytesOf(frame: Frame): number {
  if (frame instanceof Uint8Array) return frame.byteLength;
  return frame.reduce((sum, piece) => sum + piece.byteLength, 0);
}

/** A copy of a lent frame. */
export function kept(frame: Frame): Frame {
  if (frame instanceof Uint8Array) return new Uint8Array(frame);
  return frame.map((piece) => new Uint8Array(piece));
}

/** A frame that waits: it leaves whole, or as fragments of its pieces. */
interface Waiting {
  /** Those that have left are gone. */
  readonly pieces: Uint8Array[];
  readonly isWhole: boolean;
  hasBegun: boolean;
}

/**
 * What leaves by one WebSocket, in order. Frames that the reader does not take wait here, up to a bound;
 * a reader that is further behind is cut off with 1013.
 */
export class Outlet {
  /** A long frame that is leaving, and those that wait for its end. */
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** The socket held something when it was last given a frame. */
  #isBehind = false;
  #isClosed = false;
  #isCutOff = false;
  #patience: NodeJS.Timeout | undefined;
  #resumption: NodeJS.Immediate | undefined;
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
  send(frame: Frame, isLent = false): void {
    if (this.#isClosed) return;
    if (this.#isBehind || !isShort(frame)) this.#sendBehind(frame, isLent);
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

  /**
   * The reader has taken something. What waits is sent a moment later: uWebSockets may forget to wait for
   * a socket to become writable when that is done from within its `drain`, and nothing would leave any more.
   */
  onDrain(): void {
    this.#resumption ??= setImmediate(() => this.#resume());
  }

  #resume(): void {
    this.#resumption = undefined;
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
    clearImmediate(this.#resumption);
  }

  #sendBehind(frame: Frame, isLent: boolean): void {
    if (this.#isCutOff) return;
    if (this.bufferedBytes > this.options.maxBufferedBytes) return this.#cutOff();
    if (this.#waiting.length === 0 && isShort(frame)) {
      this.#isBehind = this.socket.send(frame, true) !== SENT;
      return;
    }
    const own = isLent ? kept(frame) : frame;
    const pieces = own instanceof Uint8Array ? [own] : [...own];
    const [first] = pieces;
    const isWhole = pieces.length === 1 && first !== undefined && isShort(first);
    this.#waiting.push({ pieces, isWhole, hasBegun: false });
    this.#waitingBytes += bytesOf(own);
    this.#isBehind = true;
    this.#pump();
  }

  /** Sends what waits, as long as the socket has room. */
  #pump(): void {
    let [frame] = this.#waiting;
    while (frame && this.socket.getBufferedAmount() < this.#room) {
      const sent = this.#sendNext(frame);
      this.#waitingBytes -= sent.byteLength;
      if (frame.pieces.length === 0) this.#waiting.shift();
      [frame] = this.#waiting;
    }
    this.#isBehind = this.bufferedBytes > 0;
  }

  /** Gives what it has sent. */
  #sendNext(frame: Waiting): Uint8Array {
    const [piece = new Uint8Array()] = frame.pieces;
    const isWholePiece = frame.isWhole || piece.byteLength <= FRAGMENT_BYTES;
    const fragment = isWholePiece ? piece : piece.subarray(0, FRAGMENT_BYTES);
    if (isWholePiece) frame.pieces.shift();
    else frame.pieces[0] = piece.subarray(FRAGMENT_BYTES);
    if (frame.isWhole) this.socket.send(fragment, true);
    else this.#sendFragment(frame, fragment);
    return fragment;
  }

  #sendFragment(frame: Waiting, fragment: Uint8Array): void {
    const socket = this.socket as unknown as FragmentSocket;
    if (!frame.hasBegun) socket.sendFirstFragment(fragment, true);
    else if (frame.pieces.length > 0) socket.sendFragment(fragment);
    else socket.sendLastFragment(fragment);
    frame.hasBegun = true;
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
  }
}

function isShort(frame: Frame): frame is Uint8Array {
  return frame instanceof Uint8Array && frame.byteLength <= MAX_WHOLE_BYTES;
}
