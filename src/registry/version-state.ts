/** The states of a version and the one function that moves between them (DESIGN §5). */

export type VersionState =
  | 'discovered'
  | 'packing'
  | 'mapping'
  | 'loading'
  | 'warming'
  | 'ready'
  | 'active'
  | 'draining'
  | 'retired'
  | 'failed';

const NEXT: Readonly<Record<VersionState, readonly VersionState[]>> = {
  discovered: ['packing', 'mapping', 'failed'],
  packing: ['mapping', 'failed'],
  mapping: ['loading', 'failed'],
  loading: ['warming', 'failed'],
  warming: ['ready', 'failed'],
  // A ready version is drained when its generation is aborted or no longer wants it; an active one
  // goes back to ready when another version takes over and it is kept.
  ready: ['active', 'draining', 'failed'],
  active: ['ready', 'draining'],
  draining: ['retired'],
  retired: [],
  failed: [],
};

/** The new state; throws if `from` cannot become `to`, which is a bug in the caller. */
export function transition(from: VersionState, to: VersionState): VersionState {
  if (!NEXT[from].includes(to)) throw new Error(`illegal transition of a version: ${from} → ${to}`);
  return to;
}
