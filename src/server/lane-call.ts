import { encodeError } from '../rpc/frames.js';
import type { Accepted, AnswerHolder, Frame } from '../registry/registry.js';
import { outcomeOf, type RunOutcome } from '../registry/run-outcome.js';
import type { Version } from '../registry/version.js';
import type { CallInFlight, RpcConnection } from './rpc-connection.js';
import type { Turn } from './version-order.js';

/** A request that runs by the lane: it holds a lease on its version until it is answered. */
export class LaneCall implements AnswerHolder, CallInFlight {
  readonly msgid: number;
  place = 0;
  readonly #ticket: number;
  readonly #epoch: number | undefined;
  #onSettled: ((error?: Error) => void) | undefined;

  constructor(
    readonly sink: RpcConnection,
    accepted: Accepted,
    private readonly version: Version,
    readonly turn: Turn | undefined,
  ) {
    this.msgid = accepted.msgid;
    this.#ticket = accepted.ticket;
    this.#epoch = version.breaker?.begin();
    version.lease();
  }

  cancel(): void {
    this.version.cancel(this.#ticket);
  }

  /** Resolves when the version has answered, rejects when it has not. Called at most once. */
  answered(): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#onSettled = (error) => (error ? reject(error) : resolve());
    });
    answered.catch(() => {}); // whoever asks may not wait for it
    return answered;
  }

  resolve(frame: Frame, isLent = false): void {
    this.#onSettled?.();
    this.#tellBreaker('succeeded');
    this.#end(frame, isLent);
  }

  reject(error: Error): void {
    this.#onSettled?.(error);
    this.#tellBreaker(outcomeOf(error));
    this.#end(encodeError(this.msgid, error), false);
  }

  #tellBreaker(outcome: RunOutcome): void {
    if (this.#epoch !== undefined) this.version.breaker?.end(this.#epoch, outcome);
  }

  #end(frame: Frame, isLent: boolean): void {
    this.version.release();
    this.sink.answer(this, frame, isLent);
  }
}
