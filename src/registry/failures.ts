import { toWarmswapError, WarmswapError } from '../rpc/errors.js';
import type { VersionFailure } from './plan.js';
import type { Version } from './version.js';

/** Why versions cannot serve, and generations not be prepared. */

/** A generation that cannot be served: every version of it that failed, with the reason. */
export class PrepareError extends Error {
  constructor(readonly failures: readonly VersionFailure[]) {
    super(failures.map((f) => `${f.model}/${f.version}: ${f.reason}`).join('; '));
    this.name = 'PrepareError';
  }
}

/** Besides, what was unloaded for it cannot be loaded again: this worker should be replaced. */
export class RestoreError extends PrepareError {
  constructor(
    failures: readonly VersionFailure[],
    override readonly cause: unknown,
  ) {
    super(failures);
    this.name = 'RestoreError';
    this.message = `what was unloaded cannot be loaded again: ${(cause as Error).message}`;
  }
}

/** What a version's error means for its generation. */
export function failure(version: Version, error: unknown): VersionFailure {
  const { code, message, details } = toWarmswapError(error);
  return {
    model: version.name,
    version: version.number,
    key: version.plan.key,
    code,
    reason: message,
    ...(details === undefined ? {} : { details }),
  };
}

/** The same for a reason that a gate has given; nothing if it has none. */
export function refusal(version: Version, reason: string | undefined): VersionFailure[] {
  if (reason === undefined) return [];
  return [failure(version, new WarmswapError('FAILED_PRECONDITION', reason))];
}
