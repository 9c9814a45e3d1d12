import { CommanderError } from 'commander';
import { ConfigError } from '../config/parse.js';
import { toWarmswapError, toWireError, WarmswapError } from '../rpc/errors.js';
import { UsageError } from './usage-error.js';

/** How a command ends that has failed. */

const FAILED = 1;
const WRONG_USAGE = 2;

/**
 * Prints the failure, with its code if it has one, on standard error; with `asJson` as one document
 * `{error: {code, message, retryable, details?}}` on standard output. Gives the exit code.
 */
export function reportFailure(error: unknown, asJson: boolean): number {
  // Commander has printed its own errors; help and version are none.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  const isWrongUsage = error instanceof ConfigError || error instanceof UsageError;
  if (asJson) console.log(JSON.stringify({ error: toWireError(coded(error)) }));
  else console.error(`warmswap: ${toText(error)}`);
  return isWrongUsage ? WRONG_USAGE : FAILED;
}

function coded(error: unknown): WarmswapError {
  if (!(error instanceof ConfigError)) return toWarmswapError(error);
  return new WarmswapError('INVALID_ARGUMENT', error.message);
}

function toText(error: unknown): string {
  const { message } = error as Error;
  return error instanceof WarmswapError ? `${error.code}: ${message}` : message;
}
