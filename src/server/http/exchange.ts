import type { HttpResponse } from 'uWebSockets.js';
import { BodyWriter } from './body-writer.js';
import { errorReply, STATUS_LINES, type Reply } from './http-error.js';

const JSON_TYPE: readonly [string, string] = ['Content-Type', 'application/json'];

/** A longer answer is not left to uWebSockets, also where it would close the connection behind it. */
const MAX_CLOSING_BYTES = 64 * 1024;

export interface ExchangeOptions {
  isHead: boolean;
  /** Whether the connection is to be closed after an answer of now. */
  isClosing: () => boolean;
  /** Called once, when its answer has left or its client has gone. */
  onEnd: () => void;
  /** Called at most once, before `onEnd`: its client was cut off, since it did not take its answer. */
  onSlowReader: () => void;
}

/** One request over HTTP, from its arrival until its answer has left or its client has gone. */
export class Exchange {
  /** Called when the client goes before it is answered. */
  onAborted: (() => void) | undefined;
  /** Of the answer, besides its own. */
  headers: NonNullable<Reply['headers']> = [];
  #open = true;
  /** Of an answer without a body. */
  #closing: NodeJS.Immediate | undefined;
  /** Of the answer, while it leaves. */
  #body: BodyWriter | undefined;

  constructor(
    private readonly response: HttpResponse,
    private readonly options: ExchangeOptions,
  ) {
    response.onAborted(() => {
      this.#open = false;
      clearImmediate(this.#closing);
      if (this.#body?.abort()) options.onSlowReader();
      options.onEnd();
      this.onAborted?.();
    });
  }

  /** Neither answered nor aborted: the response may be used. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Answers once; does nothing if it is answered or aborted. */
  send(reply: Reply): void {
    if (!this.#open) return;
    this.#open = false;
    this.response.cork(() => this.#write(reply));
  }

  /** Answers with `{"error"}`. */
  refuse(error: unknown): void {
    this.send(errorReply(error));
  }

  #write({ status, body, headers = [], isLast = false }: Reply): void {
    this.response.writeStatus(STATUS_LINES[status]);
    const isTyped = headers.some(([name]) => name === JSON_TYPE[0]);
    const all = isTyped ? headers : [JSON_TYPE, ...headers];
    for (const [name, value] of [...all, ...this.headers]) {
      this.response.writeHeader(name, value);
    }
    this.#writeBody(piecesOf(body), isLast || this.options.isClosing());
  }

  #writeBody(pieces: readonly Uint8Array[], isLast: boolean): void {
    const { isHead, onEnd } = this.options;
    const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (isHead) return this.#endWithoutBody(length);
    if (!isLast || length > MAX_CLOSING_BYTES) return this.#writeInSteps(pieces, isLast);
    this.response.end(Buffer.concat(pieces), true);
    onEnd();
  }

  /**
   * The last answer of its connection: a client may ask for heads without an end, and nothing tells whether
   * one has left. For uWebSockets it has no end, so that what is asked meanwhile closes the connection too.
   */
  #endWithoutBody(length: number): void {
    this.response.writeHeader('Connection', 'close').tryEnd('', length);
    this.#closing = setImmediate(() => this.response.close());
  }

  #writeInSteps(pieces: readonly Uint8Array[], isLast: boolean): void {
    // The client closes then; if it does not, uWebSockets does once the connection is idle.
    if (isLast) this.response.writeHeader('Connection', 'close');
    this.#body = new BodyWriter(this.response, pieces);
    this.#body.start(this.options.onEnd);
  }
}

function piecesOf(body: Reply['body']): readonly Uint8Array[] {
  if (typeof body === 'string') return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}
