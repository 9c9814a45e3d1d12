import type { WarmswapError } from '../rpc/errors.js';
import { backoffDelayMs, type Backoff } from './backoff.js';

/** Whether a call that failed is tried again, and when: a pure function. */

export interface RetryPolicy extends Backoff {
  /** The first attempt counts. */
  readonly maxAttempts: number;
}

export interface Failure {
  readonly error: WarmswapError;
  /** The connection ended before an answer came: whether the call was done is not known. */
  readonly isLost: boolean;
  /** Attempts so far, this one among them. */
  readonly attempts: number;
  readonly isIdempotent: boolean;
  /** Until the deadline; Infinity if there is none. */
  readonly remainingMs: number;
}

/** A server that names a longer time than this means "not now", which is the caller's to know. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * Milliseconds until the next attempt, or undefined if this failure is the answer: the error is not
 * retryable, the call is not idempotent, or attempts or time are used up. What a server asks for in
 * `details.retryAfterMs` is kept. A lost call goes again at once: where to is another connection, and
 * opening one has a backoff of its own.
 */
export function retryDelayMs(
  failure: Failure,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  const { error, isLost, attempts, isIdempotent, remainingMs } = failure;
  if (!error.retryable || !isIdempotent || attempts >= policy.maxAttempts) return undefined;
  const retryAfterMs = retryAfterOf(error.details);
  if (retryAfterMs > LONGEST_RETRY_AFTER_MS) return undefined;
  const backoffMs = isLost ? 0 : backoffDelayMs(attempts, policy, random);
  const delayMs = Math.max(backoffMs, retryAfterMs * (1 + random() / 10));
  return delayMs < remainingMs ? delayMs : undefined;
}

function retryAfterOf(details: unknown): number {
  if (typeof details !== 'object' || details === null || !('retryAfterMs' in details)) return 0;
  const { retryAfterMs } = details;
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0;
}
