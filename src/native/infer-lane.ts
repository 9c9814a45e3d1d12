import type { NativeAnswer, NativeAnswers, NativeRoute, NativeRuntime } from './binding.js';
import type { Deadlines } from './deadlines.js';
import type { TicketHolder, Tickets } from './tickets.js';

/** Holds many answers, and at least one of the longest that the addon puts there (64 KiB). */
const PAGE_BYTES = 1 << 20;
const PAGE_ANSWERS = 1024;
const INDEX_FIELDS = 3;
/** More requests are not collected in one turn: it bounds how long the first of them waits. */
const MAX_TURN = 256;
const ACCEPTED_FIELDS = 4;

/** A request that the lane has taken. */
export interface Accepted {
  /** Index of its route in what `setRoutes` was last given. */
  route: number;
  msgid: number;
  /** By which its answer comes, where there is none yet. */
  ticket: number;
  /** Overwritten by the next call. */
  answer: Uint8Array | undefined;
  /** The answer is an error: the queue is full. */
  isRefusal: boolean;
}

/** What is sent as one message: its bytes, or pieces that belong behind one another. */
export type Frame = NativeAnswer;

/** Gets the answer to one request as a frame that is ready to be sent. */
export interface AnswerHolder extends TicketHolder {
  /** Where the answer goes; several answers in a row to the same one go under one `cork`. */
  readonly sink: AnswerSink;
  /** A lent frame is overwritten once this has returned. */
  resolve(frame: Frame, isLent?: boolean): void;
}

export interface AnswerSink {
  /** Calls `send`, which sends several frames, so that they leave together. */
  cork(send: () => void): void;
}

/**
 * The short way of a plain `infer` request: frame in, frame out, and no JavaScript value made of
 * either. What is accepted in one turn of the event loop runs, or wakes the runner threads, at its
 * end.
 */
export class InferLane {
  readonly #page = new ArrayBuffer(PAGE_BYTES);
  readonly #index = new Float64Array(PAGE_ANSWERS * INDEX_FIELDS);
  readonly #accepted = new Float64Array(ACCEPTED_FIELDS);
  /** Of the page, where the last answers lay that came there as the first, the second and so on. */
  readonly #views: Uint8Array[] = [];
  #inTurn = 0;

  /** `runtime` gives the one that was made with `answers`. */
  constructor(
    private readonly tickets: Tickets,
    private readonly runtime: () => NativeRuntime,
    private readonly deadlines: Deadlines,
  ) {}

  /** What the runtime needs to hand answers over. */
  get answers(): NativeAnswers {
    return {
      page: this.#page,
      index: this.#index,
      accepted: this.#accepted,
      onAnswers: (count) => this.#deliver(count),
    };
  }

  /** Replaces all routes: a request takes the one whose model, and version or label, it names. */
  setRoutes(routes: readonly NativeRoute[]): void {
    this.runtime().setRoutes(routes);
  }

  /**
   * Takes a request off the wire; its inputs are copied when this returns. Gives nothing, and nothing
   * has happened, where the frame is no plain request: decode it to learn why.
   * Where there is no answer yet, whoever gets this holds the ticket (`hold`) before anything else.
   */
  accept(frame: ArrayBuffer): Accepted | undefined {
    if (this.#inTurn >= MAX_TURN) this.#endTurn();
    const ticket = this.tickets.next();
    if (!this.runtime().accept(frame, ticket)) return undefined;
    const route = this.#accepted[0] as number;
    const msgid = this.#accepted[1] as number;
    const length = this.#accepted[2] as number;
    const answer = length > 0 ? this.#view(0, 0, length) : undefined;
    if (!answer && this.#inTurn++ === 0) setImmediate(() => this.#endTurn());
    return { route, msgid, ticket, answer, isRefusal: this.#accepted[3] === 1 };
  }

  /** Something is out at the native side. */
  get isBusy(): boolean {
    return this.tickets.areOut;
  }

  hold(ticket: number, holder: AnswerHolder): void {
    this.tickets.hold(ticket, holder);
  }

  /** Answers of one model are as long as each other, as a rule, so most views are there already. */
  #view(answer: number, offset: number, length: number): Uint8Array {
    const last = this.#views[answer];
    if (last?.byteOffset === offset && last.length === length) return last;
    return (this.#views[answer] = new Uint8Array(this.#page, offset, length));
  }

  #endTurn(): void {
    this.#inTurn = 0;
    this.deadlines.expect(this.runtime().endTurn());
  }

  #deliver(count: number): void {
    let next = 0;
    while (next < count) {
      const first = next++;
      const holder = this.#holder(first);
      while (next < count && this.#holder(next)?.sink === holder?.sink) next++;
      if (next - first === 1) this.#resolve(first);
      else holder?.sink.cork(() => this.#resolveAll(first, next));
    }
  }

  #resolveAll(from: number, to: number): void {
    for (let answer = from; answer < to; answer++) this.#resolve(answer);
  }

  #holder(answer: number): AnswerHolder | undefined {
    const ticket = this.#index[answer * INDEX_FIELDS] as number;
    return this.tickets.holder(ticket) as AnswerHolder | undefined;
  }

  #resolve(answer: number): void {
    const field = answer * INDEX_FIELDS;
    const ticket = this.#index[field] as number;
    const offset = this.#index[field + 1] as number;
    const length = this.#index[field + 2] as number;
    const holder = this.tickets.return(ticket) as AnswerHolder | undefined;
    holder?.resolve(this.#view(answer, offset, length), true);
  }
}
