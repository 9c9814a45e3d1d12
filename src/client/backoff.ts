/** Times between attempts, in milliseconds. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after the `failures`-th failure in a row (from 1): twice as long each time, at most
 * `maxMs`, of which between a half and the whole by chance, so that clients don't come back in step.
 * `random` gives numbers of [0, 1).
 */
export function backoffDelayMs(
  failures: number,
  { baseMs, maxMs }: Backoff,
  random: () => number,
): number {
  const longest = Math.min(maxMs, baseMs * 2 ** (failures - 1));
  return (longest * (1 + random())) / 2;
}
