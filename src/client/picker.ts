/** Which of several connections gets the next request: a pure function. */

export interface Candidate {
  /** Connected, and has room for one more request. */
  readonly isReady: boolean;
  readonly inFlight: number;
  /** Has lately said that it does not serve; taken only where there is no other. */
  readonly isSuspect: boolean;
}

/**
 * The ready candidate with the fewest requests in flight, or undefined if none is ready. One that is
 * suspect or in `avoid` comes after all others. `turn` decides between equals: give another each time.
 */
export function pickLeastBusy<T extends Candidate>(
  candidates: readonly T[],
  avoid: ReadonlySet<T>,
  turn: number,
): T | undefined {
  let best: T | undefined;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[(i + turn) % candidates.length] as T;
    if (candidate.isReady && (!best || isBetter(candidate, best, avoid))) best = candidate;
  }
  return best;
}

function isBetter<T extends Candidate>(a: T, b: T, avoid: ReadonlySet<T>): boolean {
  const [badnessA, badnessB] = [badness(a, avoid), badness(b, avoid)];
  return badnessA === badnessB ? a.inFlight < b.inFlight : badnessA < badnessB;
}

function badness<T extends Candidate>(candidate: T, avoid: ReadonlySet<T>): number {
  return avoid.has(candidate) ? 2 : candidate.isSuspect ? 1 : 0;
}
