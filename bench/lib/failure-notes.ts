import type { LoadResult } from './load.js';

/** What to tell of failed requests of the daemon and of a peer; nothing if there were none. */
export function failureNotes(
  daemon: readonly LoadResult[],
  theirs: readonly LoadResult[],
): string[] {
  return [...failuresOf('the daemon', daemon), ...failuresOf('the peer', theirs)];
}

function failuresOf(whose: string, results: readonly LoadResult[]): string[] {
  const failed = results.reduce((sum, { failures }) => sum + failures, 0);
  const answered = results.reduce((sum, { requests }) => sum + requests, 0);
  return failed === 0 ? [] : [`${failed} of ${failed + answered} requests to ${whose} failed`];
}
