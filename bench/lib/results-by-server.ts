import type { Comparison } from './against-peers.js';

/** As plots say it. */
const OURS = 'Warmswap';

/** What was measured of each server by its name, ours first; peers that were not are left out. */
export function resultsByServer<T>(
  comparisons: readonly Comparison<T>[],
): (readonly [server: string, results: readonly T[]])[] {
  const measured = comparisons.flatMap((comparison) => ('problem' in comparison ? [] : comparison));
  const ours = measured.slice(0, 1).map(({ daemon }) => [OURS, daemon] as const);
  return [...ours, ...measured.map(({ peer, theirs }) => [peer, theirs] as const)];
}
