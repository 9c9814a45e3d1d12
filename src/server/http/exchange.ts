import type { HttpResponse } from 'uWebSockets.js';
import { errorReply, STATUS_LINES, type Reply } from './http-error.js';

const JSON_TYPE: readonly [string, string] = ['Content-Type', 'application/json'];

/** One request over HTTP, from its arrival until it is answered or its client has gone. */
export class Exchange {
  /** Called when the client goes before it is answered. */
  onAborted: (() => void) | undefined;
  /** Of the answer, besides its own. */
  headers: NonNullable<Reply['headers']> = [];
  #open = true;

  constructor(
    private readonly response: HttpResponse,
    private readonly isHead: boolean,
    /** Whether the connection is to be closed after an answer of now. */
    private readonly isClosing: () => boolean,
    /** Called once, when it is answered or its client has gone. */
    private readonly onEnd: () => void,
  ) {
    response.onAborted(() => {
      if (this.#open) this.#end();
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
    this.#end();
    this.response.cork(() => this.#write(reply));
  }

  #end(): void {
    this.#open = false;
    this.onEnd();
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
    if (this.isHead) this.#endWithoutBody(Buffer.byteLength(body));
    else this.response.end(body, isLast || this.isClosing());
  }

  /** With a length of its own, uWebSockets would take the answer as unfinished. */
  #endWithoutBody(length: number): void {
    if (this.isClosing()) this.response.writeHeader('Connection', 'close');
    this.response.writeHeader('Content-Length', String(length)).endWithoutBody();
  }
}
