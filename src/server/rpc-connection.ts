import type { WebSocket } from 'uWebSockets.js';
import type { Grant } from '../access/grant.js';
import { WarmswapError } from '../rpc/errors.js';
import { decodeMessage, encodeError, encodeResult, type Message } from '../rpc/frames.js';
import { FrameError } from '../rpc/structure.js';
import type { InferParams } from '../rpc/methods.js';
import { parseCancelParams, parseInferParams } from '../rpc/params.js';
import type { CallContext, Method } from './methods.js';
import type { Route } from '../registry/model-set.js';
import type { AnswerSink, Frame, Registry } from '../registry/registry.js';
import type { BusyPoll } from './busy-poll.js';
import { CallsInFlight, type Placed } from './calls-in-flight.js';
import { LaneCall } from './lane-call.js';
import type { LimitCounts } from '../telemetry/limit-counts.js';
import { bytesOf, Outlet } from './outlet.js';
import type { HeldBucket, RateLimit } from './rate-limit.js';
import type { Subscriber } from './subscriptions.js';
import { VersionOrder, type Turn } from './version-order.js';

/** What a connection needs of the data plane it belongs to. */
export interface ConnectionContext {
  readonly registry: Registry;
  readonly methods: ReadonlyMap<string, Method>;
  readonly maxMessageBytes: number;
  readonly maxInflight: number;
  readonly maxBufferedBytes: number;
  readonly limited: LimitCounts;
  /** None: requests may come as fast as they like. */
  readonly rateLimit: RateLimit | undefined;
  readonly busyPoll: BusyPoll;
  /** To be called behind each message that may have taken long. */
  onProgress(): void;
}

/** A connection that drains is idle once nothing has come for so long. */
const LINGER_MS = 200;
/** An answer that leaves at once, together with the close frame behind it. */
const SMALL_FRAME_BYTES = 8 * 1024;

/** A request that is not answered yet. */
export interface CallInFlight extends Placed {
  readonly msgid: number;
  readonly turn: Turn | undefined;
  /** Ends its run; does nothing once that is done. */
  cancel?(): void;
}

/** One WebSocket that speaks MessagePack-RPC. Lives from open to close. */
export class RpcConnection implements AnswerSink, Subscriber {
  /** What its client may use; replaced when the tokens change. */
  grant: Grant;
  readonly #outlet: Outlet;
  readonly #bucket: HeldBucket | undefined;
  readonly #order = new VersionOrder((frame, isLent) => this.#outlet.send(frame, isLent));
  readonly #inflight = new CallsInFlight<CallInFlight>();
  #closed = false;
  #draining = false;
  #linger: NodeJS.Timeout | undefined;

  /** `client` names who is behind it, for the limit on the rate of its requests. */
  constructor(
    socket: WebSocket<unknown>,
    private readonly context: ConnectionContext,
    { grant, client }: { grant: Grant; client: string },
  ) {
    this.grant = grant;
    this.#bucket = context.rateLimit?.hold(client);
    this.#outlet = new Outlet(socket, {
      maxBufferedBytes: context.maxBufferedBytes,
      onSlowReader: () => this.#onSlowReader(),
    });
  }

  get inflight(): number {
    return this.#inflight.size;
  }

  /** `frame` is the server's buffer: it is gone when this returns. */
  onMessage(frame: ArrayBuffer, isBinary: boolean): void {
    if (this.#outlet.isCutOff) return;
    this.context.busyPoll.onRequest();
    try {
      if (isBinary && this.#takeByLane(frame)) return;
      if (!isBinary) throw new FrameError(1003, 'text frames are not accepted, only binary ones');
      this.#refuseTooBig(frame.byteLength);
      this.#dispatch(decodeMessage(new Uint8Array(frame)));
    } catch (error) {
      if (error instanceof FrameError) this.end(error.closeCode, error.message);
      else throw error;
    }
    this.context.onProgress();
  }

  /**
   * Closes with 1001 as soon as every request is answered: right behind the last answer, so that a
   * client that waits for its answers has none on the way, or after a moment in which none came.
   */
  drain(): void {
    this.#draining = true;
    if (this.#inflight.size === 0) this.#endSoon();
  }

  push(frame: Uint8Array): void {
    this.#outlet.send(frame);
  }

  /** uWebSockets has answered a ping. */
  onPing(): void {
    this.#outlet.checkReader();
  }

  /** The client has taken something of what waits for it. */
  onDrain(): void {
    this.#outlet.onDrain();
  }

  /** The socket is gone; what is still in flight is cancelled. */
  onClose(): void {
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#outlet.onClose();
    this.#bucket?.release();
    this.#cancelAll();
  }

  /** Closes with a code and a reason. Does nothing if it is closed. */
  end(code: number, reason: string): void {
    this.#outlet.end(code, reason);
  }

  #onSlowReader(): void {
    this.context.limited.slowReaders++;
    this.#cancelAll();
  }

  #cancelAll(): void {
    for (const call of this.#inflight.snapshot()) call.cancel?.();
  }

  #refuseTooBig(bytes: number): void {
    const { maxMessageBytes } = this.context;
    if (bytes <= maxMessageBytes) return;
    throw new FrameError(1009, `a message of ${bytes} bytes; the limit is ${maxMessageBytes}`);
  }

  #dispatch(message: Message): void {
    if (message.kind === 'response') {
      throw new FrameError(1002, 'not MessagePack-RPC: the server has asked nothing');
    }
    if (message.kind !== 'notification') this.#answer(message);
    else if (message.method === 'cancel') this.#cancel(message.params);
  }

  #answer(message: Extract<Message, { kind: 'request' | 'unreadable' }>): void {
    const { msgid } = message;
    const call = new Call(msgid, this.#order, this);
    try {
      this.#bucket?.admit();
      if (message.kind === 'unreadable') {
        throw new WarmswapError('INVALID_ARGUMENT', message.problem);
      }
      const result = this.#call(message.method, message.params, call);
      if (result instanceof Promise) this.#answerLater(call, result);
      else this.#answerNow(encodeResult(msgid, result), true);
    } catch (error) {
      this.#answerNow(encodeError(msgid, error));
    }
  }

  /** A notification has no answer, not even that its method is unknown or its params are wrong. */
  #cancel(params: readonly unknown[]): void {
    try {
      const msgid = parseCancelParams(params);
      for (const call of this.#inflight.snapshot()) if (call.msgid === msgid) call.cancel?.();
    } catch (error) {
      if (!(error instanceof WarmswapError)) throw error;
    }
  }

  #call(name: string, params: readonly unknown[], call: Call): unknown {
    const method = this.context.methods.get(name);
    if (!method) {
      const known = [...this.context.methods.keys()].join(', ');
      throw new WarmswapError('UNIMPLEMENTED', `there is no method '${name}'; methods: ${known}`);
    }
    if (this.#draining && this.#inflight.size > 0) {
      throw new WarmswapError('UNAVAILABLE', 'this worker is shutting down');
    }
    if (this.#inflight.size >= this.context.maxInflight) {
      throw new WarmswapError(
        'RESOURCE_EXHAUSTED',
        `${this.context.maxInflight} requests of this connection are in flight already`,
      );
    }
    return method(params, call);
  }

  #answerLater(call: Call, result: Promise<unknown>): void {
    this.#inflight.add(call);
    void result
      .then((value) => encodeResult(call.msgid, value))
      .catch((error: unknown) => encodeError(call.msgid, error))
      .then((frame) => this.answer(call, frame));
  }

  /**
XX
   */
  #takeByLane(frame: ArrayBuffer): boolean {
    const { registry, maxMessageBytes, maxInflight } = this.context;
    const isFull = this.#inflight.size >= maxInflight;
    if (this.#draining || isFull || frame.byteLength > maxMessageBytes) return false;
    if (this.grant.isRestricted || this.#bucket?.hasRoom() === false) return false;
    const accepted = registry.lane.accept(frame);
    if (!accepted) return false;
    this.#bucket?.admit();
    const { order, target } = registry.laneRoutes[accepted.route] as Route;
    const turn = order === undefined ? undefined : this.#order.begin(order, target);
    if (accepted.answer) {
      if (!accepted.isRefusal) {
        target.breaker?.end(target.breaker.begin(), 'succeeded');
        if (target.recorder.due()) target.recorder.record(inputsOf(frame));
      }
      this.#sendInTurn(turn, accepted.answer, true);
      this.context.busyPoll.onAnswer();
      return true;
    }
    const call = new LaneCall(this, accepted, target, turn);
    registry.lane.hold(accepted.ticket, call);
    this.#inflight.add(call);
    if (target.recorder.due()) target.recorder.record(inputsOf(frame), call.answered());
    return true;
  }

  /** Sends the answer to a call in its turn. A lent frame is gone when this returns. */
  answer(call: CallInFlight, frame: Frame, isLent = false): void {
    if (this.#draining) this.#finish(frame, () => this.#settle(call, frame, isLent));
    else this.#settle(call, frame, isLent);
    this.context.busyPoll.onAnswer();
  }

  cork(send: () => void): void {
    this.#outlet.cork(send);
  }

  #settle(call: CallInFlight, frame: Frame, isLent: boolean): void {
    this.#sendInTurn(call.turn, frame, isLent);
    this.#inflight.delete(call);
  }

  /** A lent frame may be views on the request. */
  #answerNow(frame: Frame, isLent = false): void {
    if (this.#draining) this.#finish(frame, () => this.#outlet.send(frame, isLent));
    else this.#outlet.send(frame, isLent);
  }

  /** Sends a call's answer in a drain, and closes in the same breath if it was the last one. */
  #finish(answer: Frame, send: () => void): void {
    this.cork(() => {
      send();
      this.#endIfDrained(answer);
    });
  }

  #endIfDrained(answer: Frame): void {
    if (!this.#draining || this.#closed || this.#inflight.size > 0) return;
    const leavesAtOnce = bytesOf(answer) <= SMALL_FRAME_BYTES && this.#outlet.bufferedBytes === 0;
    if (leavesAtOnce) this.#endDrained();
    else this.#endSoon();
  }

  /** What a slow reader has not taken yet must not be cut off. */
  #endSoon(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      if (this.#closed || this.#inflight.size > 0) return;
      if (this.#outlet.bufferedBytes === 0) this.#endDrained();
      else this.#endSoon();
    }, LINGER_MS);
  }

  #endDrained(): void {
    this.end(1001, 'shutting down');
  }

  #sendInTurn(turn: Turn | undefined, frame: Frame, isLent: boolean): void {
    if (turn) this.#order.end(turn, frame, isLent);
    else this.#outlet.send(frame, isLent);
  }
}

/** The inputs of a frame that the lane has accepted, as views on it. */
function inputsOf(frame: ArrayBuffer): InferParams['inputs'] {
  const message = decodeMessage(new Uint8Array(frame));
  return message.kind === 'request' ? parseInferParams(message.params).inputs : {};
}

/** One request of a connection. */
class Call implements CallContext, CallInFlight {
  cancel?: () => void;
  /** Its place among the answers, if a version answers it. */
  turn: Turn | undefined;
  place = 0;

  constructor(
    readonly msgid: number,
    private readonly order: VersionOrder,
    readonly subscriber: Subscriber,
  ) {}

  get grant(): Grant {
    return this.subscriber.grant;
  }

  answeredBy(target: string, version: object): void {
    this.turn = this.order.begin(target, version);
  }
}
