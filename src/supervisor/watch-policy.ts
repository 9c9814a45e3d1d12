/** When a changed repository is worth a reload, as a pure function of looks at it. */

export interface WatchState {
  /** What the last look saw, where that is neither served nor tried. */
  pending?: string;
  /** What the last reload was for: one that failed is not tried again before something changes. */
  tried?: string;
}

export interface WatchStep {
  state: WatchState;
  next: 'wait' | 'lookAgain' | 'reload';
}

/**
 * `look` is the digest of what a look saw, `served` of what the last reload followed. A change has
 * to be the same in two looks: what is still being written is not.
 */
export function afterLook(state: WatchState, look: string, served: string | undefined): WatchStep {
  const { tried, pending } = state;
  const known = tried === undefined ? {} : { tried };
  if (look === served || look === tried) return { state: known, next: 'wait' };
  if (look === pending) return { state: { tried: look }, next: 'reload' };
  return { state: { ...known, pending: look }, next: 'lookAgain' };
}
