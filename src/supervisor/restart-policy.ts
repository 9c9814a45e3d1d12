/** When a worker that has crashed is started again, as pure functions. */

export interface RestartPolicy {
  /** A worker that crashes this often in a row is given up. */
  crashLimit: number;
  /** A worker that was ready for longer than this has not crashed in a row. */
  crashWindowMs: number;
}

/** How long one worker process was ready; nothing if it never was. */
export interface Life {
  readyForMs: number | undefined;
}

const FIRST_BACKOFF_MS = 200;
export const LONGEST_BACKOFF_MS = 30_000;

/** The crashes in a row once this life has ended, `before` being those of the lives before it. */
export function crashesInARow(before: number, { readyForMs }: Life, policy: RestartPolicy): number {
  return (readyForMs ?? 0) > policy.crashWindowMs ? 1 : before + 1;
}

/**
 * Milliseconds until the next start after `crashes` in a row, nothing if the worker is given up.
 * Doubles with each, less up to a half of it: `random` is in [0, 1).
 */
export function restartDelay(
  crashes: number,
  policy: RestartPolicy,
  random: number,
): number | undefined {
  if (crashes >= policy.crashLimit) return undefined;
  return (1 - random / 2) * Math.min(FIRST_BACKOFF_MS * 2 ** (crashes - 1), LONGEST_BACKOFF_MS);
}
