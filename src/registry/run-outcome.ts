import { toWarmswapError } from '../rpc/errors.js';
import type { RunOutcome } from './circuit-breaker.js';

export type { RunOutcome } from './circuit-breaker.js';

/**
 * What an error of a run says about the version: it alone is to blame for INTERNAL. Wrong input, a full
 * queue, a deadline or a cancel are not its fault.
 */
export function outcomeOf(error: unknown): RunOutcome {
  return toWarmswapError(error).code === 'INTERNAL' ? 'failed' : 'neither';
}
