import type { Reply } from '../../client/connection.js';
import type { ErrorCode } from '../../rpc/codes.js';
import type { InferResult, InferTiming } from '../../rpc/methods.js';
import { TimeHistogram } from './histogram.js';

export interface ErrorCount {
  count: number;
  /** Of the first one. */
  message: string;
}

/** What became of the requests of a load, in bounded memory. */
export class Recording {
  /** Of the requests that succeeded, from when they were sent, or were due. */
  readonly latency = new TimeHistogram();
  /** From when a request was due until it was sent; of an open loop alone. */
  readonly sendDelay = new TimeHistogram();
  readonly queue = new TimeHistogram();
  readonly compute = new TimeHistogram();
  readonly errors = new Map<ErrorCode, ErrorCount>();
  /** Requests that succeeded, by the version that answered. */
  readonly versions = new Map<number, number>();
  #failed = 0;
  #runs = 0;

  get succeeded(): number {
    return this.latency.count;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Requests in a run of the model, on average; null if nothing has told. */
  get meanBatchSize(): number | null {
    return this.#runs === 0 ? null : this.compute.count / this.#runs;
  }

  onReply(reply: Reply, latencyMs: number): void {
    if (reply.kind !== 'result') {
      this.#onError(reply.error.code, reply.error.message);
      return;
    }
    this.latency.record(latencyMs * 1e3);
    const { version, timing } = (reply.result ?? {}) as Partial<InferResult>;
    if (typeof version === 'number') this.#countVersion(version);
    if (isTiming(timing)) this.#countTiming(timing);
  }

  #countVersion(version: number): void {
    this.versions.set(version, (this.versions.get(version) ?? 0) + 1);
  }

  #countTiming({ queueUs, computeUs, batchSize }: InferTiming): void {
    this.queue.record(queueUs);
    this.compute.record(computeUs);
    // A run of n requests is told n times.
    this.#runs += 1 / batchSize;
  }

  #onError(code: ErrorCode, message: string): void {
    this.#failed++;
    const known = this.errors.get(code);
    if (known) known.count++;
    else this.errors.set(code, { count: 1, message });
  }
}

/** Other servers may tell none, or something else. */
function isTiming(timing: unknown): timing is InferTiming {
  const { queueUs, computeUs, batchSize } = (timing ?? {}) as Partial<InferTiming>;
  return [queueUs, computeUs, batchSize].every(Number.isFinite) && Number(batchSize) > 0;
}
