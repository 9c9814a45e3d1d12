import { fromWireError, WarmswapError } from '../rpc/errors.js';
import { decodeMessage, encodeNotification, type Message } from '../rpc/frames.js';
import { connectError } from './connect-error.js';
import { KeepAlive } from './keep-alive.js';
import { RequestFrame } from './request-frame.js';
import type { Socket } from './socket.js';
import { Timer } from './timer.js';

/** What becomes of a request; `lost` if its connection ended before an answer came. */
export type Reply =
  | { kind: 'result'; result: unknown }
  | { kind: 'error'; error: WarmswapError }
  | { kind: 'lost'; error: WarmswapError };

export type OnReply = (reply: Reply) => void;

/** A request that was sent. */
export interface Sent {
  /** The socket has sent it on, or is gone: it takes no memory any more. */
  readonly isTaken: () => boolean;
  /** Forgets it, and tells the server. Does nothing once it is answered or lost. */
  readonly cancel: () => void;
}

export interface ConnectionEvents {
  onOpen(): void;
  /** The server has answered something: it speaks the protocol. */
  onAnswer(): void;
  onNotification(method: string, params: readonly unknown[]): void;
  /** Called once, before the requests in flight are told. An error that is not retryable: it was refused. */
  onEnd(error: WarmswapError): void;
}

export interface ConnectionSettings {
  readonly url: string;
  /** For connecting, and for closing. */
  readonly connectTimeoutMs: number;
  /** Without a word from the server, until it is asked for one, and again until it is given up. */
  readonly keepAliveMs: number;
}

const NORMAL_CLOSURE = 1000;
const MESSAGE_TOO_BIG = 1009;
/** What the server was sent is no message for it: it would be none the next time. */
const PROTOCOL_ERRORS: ReadonlySet<number> = new Set([1002, 1003, 1007]);
const MAX_MSGID = 0xffff_ffff;

/** A request that is not answered yet. */
interface InFlight {
  readonly bytes: number;
  readonly onReply: OnReply;
}

/**
 * One WebSocket, from connecting until it ends, and the requests in flight on it. It does not come
 * back: `Endpoint` opens the next one.
 */
export class Connection {
  readonly #requests = new Map<number, InFlight>();
  /** Limits first connecting, then closing. */
  readonly #timer = new Timer();
  readonly #keepAlive: KeepAlive;
  #lastMsgid = 0;
  /** Given to the socket so far. */
  #sentBytes = 0;
  /** What the socket has told first. */
  #cause: WarmswapError | undefined;
  #hasOpened = false;
  #ended = false;

  /** Takes over a socket that has just begun to connect. */
  constructor(
    private readonly socket: Socket,
    private readonly events: ConnectionEvents,
    private readonly settings: ConnectionSettings,
  ) {
    const { connectTimeoutMs, keepAliveMs } = settings;
    const ask = () => void this.send(new RequestFrame('ping', null), () => {});
    const onGone = (): void => {
      this.destroy(`nothing came for ${2 * keepAliveMs} ms`);
    };
    this.#keepAlive = new KeepAlive(keepAliveMs, ask, onGone);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#onOpen();
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onerror = ({ error, message }) => (this.#cause ??= this.#failure(error, message));
    socket.onclose = ({ code, reason }) => this.#end(this.#cause ?? closed(code, reason), code);
    this.#timer.set(connectTimeoutMs, () =>
      this.destroy(`no connection within ${connectTimeoutMs} ms`),
    );
  }

  get inFlight(): number {
    return this.#requests.size;
  }

  /** Sends a request; `onReply` is called once, later, unless it is cancelled. */
  send(frame: RequestFrame, onReply: OnReply): Sent {
    const msgid = this.#nextMsgid();
    this.#requests.set(msgid, { bytes: frame.byteLength, onReply });
    const end = this.#write(frame.withMsgid(msgid));
    return { isTaken: () => this.#hasTaken(end), cancel: () => this.#cancel(msgid) };
  }

  /** Closes in an orderly way; at the latest after the time-out. */
  close(): void {
    if (this.#ended) return;
    this.#timer.set(this.settings.connectTimeoutMs, () => this.destroy('it did not close in time'));
    this.socket.close(NORMAL_CLOSURE);
  }

  /** Ends at once; what is in flight is lost. */
  destroy(reason: string): void {
    if (this.#ended) return;
    if (this.socket.terminate) this.socket.terminate();
    else this.socket.close(NORMAL_CLOSURE);
    this.#end(new WarmswapError('UNAVAILABLE', reason));
  }

  /** Of a socket in a browser, which tells nothing, none. */
  #failure(error: unknown, message = ''): WarmswapError | undefined {
    if (error === undefined && message === '') return undefined;
    if (!this.#hasOpened) return connectError(this.settings.url, error, message);
    return new WarmswapError('UNAVAILABLE', message || 'the connection broke', { cause: error });
  }

  #onOpen(): void {
    this.#hasOpened = true;
    this.#timer.clear();
    this.#keepAlive.start();
    this.events.onOpen();
  }

  #cancel(msgid: number): void {
    if (this.#requests.delete(msgid)) this.#write(encodeNotification('cancel', { msgid }));
  }

  /** Gives the number of bytes that the socket has been given with these. */
  #write(bytes: Uint8Array): number {
    this.socket.send(bytes);
    return (this.#sentBytes += bytes.byteLength);
  }

  /** A socket takes what it is given in order. What it counts includes frames' headers, so this is never early. */
  #hasTaken(end: number): boolean {
    return this.#ended || end <= this.#sentBytes - (this.socket.bufferedAmount ?? 0);
  }

  #nextMsgid(): number {
    do this.#lastMsgid = this.#lastMsgid === MAX_MSGID ? 0 : this.#lastMsgid + 1;
    while (this.#requests.has(this.#lastMsgid));
    return this.#lastMsgid;
  }

  #onMessage(data: unknown): void {
    if (this.#ended) return;
    this.#keepAlive.heard();
    const message = this.#decode(data);
    if (!message) return;
    if (message.kind === 'response') this.#onResponse(message);
    else if (message.kind === 'notification')
      this.events.onNotification(message.method, message.params);
  }

  #decode(data: unknown): Message | undefined {
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error('a text frame');
      return decodeMessage(new Uint8Array(data));
    } catch (error) {
      this.destroy(`the server sent what is no MessagePack-RPC: ${(error as Error).message}`);
      return undefined;
    }
  }

  #onResponse({ msgid, error, result }: Extract<Message, { kind: 'response' }>): void {
    const request = this.#requests.get(msgid);
    this.#requests.delete(msgid);
    this.events.onAnswer();
    const isError = error !== null && error !== undefined;
    request?.onReply(
      isError ? { kind: 'error', error: fromWireError(error) } : { kind: 'result', result },
    );
  }

  /** `code` is that of the server's close frame. */
  #end(error: WarmswapError, code?: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.clear();
    this.#keepAlive.end();
    const lost = [...this.#requests.values()];
    this.#requests.clear();
    const culprit = culpritOf(lost, code);
    this.events.onEnd(error);
    for (const request of lost) {
      const reply: Reply =
        request === culprit ? refused(request, error, code) : { kind: 'lost', error };
      request.onReply(reply);
    }
  }
}

/**
 * The request for which the server has closed, if that is known: one that was too long for it is the
 * longest, one that was wrong for it the only one.
 */
function culpritOf(requests: readonly InFlight[], code = NORMAL_CLOSURE): InFlight | undefined {
  if (code === MESSAGE_TOO_BIG) return longestOf(requests);
  return PROTOCOL_ERRORS.has(code) && requests.length === 1 ? requests[0] : undefined;
}

function longestOf(requests: readonly InFlight[]): InFlight | undefined {
  const most = Math.max(...requests.map(({ bytes }) => bytes));
  return requests.find(({ bytes }) => bytes === most);
}

function refused({ bytes }: InFlight, { message }: WarmswapError, code?: number): Reply {
  const text =
    code === MESSAGE_TOO_BIG
      ? `a request of ${bytes} bytes is too long for the server: ${message}`
      : `the server does not read the request: ${message}`;
  return { kind: 'error', error: new WarmswapError('INVALID_ARGUMENT', text) };
}

function closed(code: number, reason: string): WarmswapError {
  const detail = `${code}${reason && `: ${reason}`}`;
  return new WarmswapError('UNAVAILABLE', `the connection closed (${detail})`);
}
