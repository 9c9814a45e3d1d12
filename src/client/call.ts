import { WarmswapError } from '../rpc/errors.js';
import type { Reply, Sent } from './connection.js';
import type { Endpoint } from './endpoint.js';
import type { Pool } from './pool.js';
import type { RequestFrame } from './request-frame.js';
import { retryDelayMs, type RetryPolicy } from './retry.js';
import { Timer } from './timer.js';

export interface CallSettings {
  readonly retry: RetryPolicy;
  readonly isIdempotent: boolean;
  /** From the start of the call; undefined: none. */
  readonly deadlineMs: number | undefined;
  /** Undefined: no hedged request. */
  readonly hedgeAfterMs: number | undefined;
  /** How long the call may wait for a connection before an attempt. */
  readonly connectionWaitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Told once what became of a call. */
export interface CallOwner {
  onResult(result: unknown): void;
  onError(error: WarmswapError): void;
}

/**
 * One call from its start to its end, over as many attempts as its policy allows. It ends exactly once:
 * with the first result, with an error that is not retried, at its deadline, or when it is aborted.
 * What is in flight then is cancelled. Its owner calls `start` once.
 */
export class Call {
  readonly #sent = new Map<Endpoint, Sent>();
  /** Where it went wrong, or is in flight. */
  readonly #tried = new Set<Endpoint>();
  readonly #deadlineTimer = new Timer();
  readonly #hedgeTimer = new Timer();
  /** Limits a wait for a connection, or is one between attempts. */
  readonly #attemptTimer = new Timer();
  readonly #deadlineAt: number;
  #attempts = 0;
  #ended = false;

  constructor(
    private readonly frame: RequestFrame,
    private readonly pool: Pool,
    private readonly settings: CallSettings,
    private readonly owner: CallOwner,
  ) {
    this.#deadlineAt = performance.now() + (settings.deadlineMs ?? Infinity);
  }

  /** What was sent of it and has no answer; once it has ended, nobody waits for that any more. */
  get unanswered(): Sent[] {
    return [...this.#sent.values()];
  }

  start(): void {
    const { deadlineMs, signal } = this.settings;
    if (signal?.aborted) return this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort);
    if (deadlineMs !== undefined) {
      this.#deadlineTimer.set(deadlineMs, () => this.fail(this.#deadlineExceeded()));
    }
    this.#attempt();
  }

  /** Ends it with `error`, unless it has ended. */
  fail(error: WarmswapError): void {
    if (this.#end()) this.owner.onError(error);
  }

  #attempt(): void {
    const endpoint = this.pool.pick(this.#tried);
    if (endpoint) return this.#send(endpoint);
    const { refusal } = this.pool;
    if (refusal) return this.fail(refusal);
    this.pool.wait(this.#onConnection, (error) => this.fail(error));
    const { connectionWaitMs } = this.settings;
    this.#attemptTimer.set(connectionWaitMs, () => this.fail(this.pool.whyWaiting()));
  }

  readonly #onConnection = (endpoint: Endpoint): void => {
    this.#attemptTimer.clear();
    this.#send(endpoint);
  };

  #send(endpoint: Endpoint): void {
    const remainingMs = this.#remainingMs();
    if (remainingMs <= 0) return this.fail(this.#deadlineExceeded());
    this.#attempts++;
    this.#tried.add(endpoint);
    this.frame.setDeadline(remainingMs);
    const onReply = (reply: Reply): void => {
      this.#onReply(endpoint, reply);
    };
    this.#sent.set(endpoint, endpoint.send(this.frame, onReply));
    this.#armHedge();
  }

  #armHedge(): void {
    const { hedgeAfterMs, isIdempotent } = this.settings;
    if (hedgeAfterMs === undefined || !isIdempotent || this.#sent.size > 1) return;
    this.#hedgeTimer.set(hedgeAfterMs, () => this.#hedge());
  }

  /** Only another connection can be faster. */
  #hedge(): void {
    const endpoint = this.pool.pick(this.#tried);
    if (this.#sent.size === 1 && endpoint && !this.#tried.has(endpoint)) this.#send(endpoint);
  }

  #onReply(endpoint: Endpoint, reply: Reply): void {
    this.#sent.delete(endpoint);
    if (this.#ended) return;
    if (reply.kind === 'result') {
      if (this.#end()) this.owner.onResult(reply.result);
    } else {
      this.#onFailure(reply.error, reply.kind === 'lost');
    }
  }

  #onFailure(error: WarmswapError, isLost: boolean): void {
    if (error.retryable && this.#sent.size > 0) return;
    this.#hedgeTimer.clear();
    const { isIdempotent, retry } = this.settings;
    const remainingMs = this.#remainingMs();
    const failure = { error, isLost, attempts: this.#attempts, isIdempotent, remainingMs };
    const delayMs = retryDelayMs(failure, retry, Math.random);
    if (delayMs === undefined) this.fail(error);
    else if (delayMs === 0) this.#attempt();
    else this.#attemptTimer.set(delayMs, () => this.#attempt());
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.settings.signal?.reason;
    this.fail(new WarmswapError('CANCELLED', 'the call was aborted', { cause }));
  };

  #remainingMs(): number {
    return this.#deadlineAt - performance.now();
  }

  #deadlineExceeded(): WarmswapError {
    const { deadlineMs = 0 } = this.settings;
    return new WarmswapError('DEADLINE_EXCEEDED', `no answer within ${deadlineMs} ms`);
  }

  /** False if it has ended before. */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    for (const timer of [this.#deadlineTimer, this.#hedgeTimer, this.#attemptTimer]) timer.clear();
    this.settings.signal?.removeEventListener('abort', this.#onAbort);
    this.pool.stopWaiting(this.#onConnection);
    for (const sent of this.#sent.values()) sent.cancel();
    return true;
  }
}
