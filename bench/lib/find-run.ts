import { existsSync } from 'node:fs';
import { readJsonLines } from './json-lines.js';
import { historyFile, resultsFile } from './paths.js';
import type { Result } from './result.js';

const COMMIT = /^[0-9a-f]{4,40}\+?$/;

/**
 * The results of a run: of a file, if there is one of this name, else of the commit, which may be
 * abbreviated, among those that were measured here and those that were published. Throws if there
 * are none.
 */
export function findRun(fileOrCommit: string): Result[] {
  if (existsSync(fileOrCommit)) return readResults(fileOrCommit);
  const all = [...readResults(historyFile), ...readResults(resultsFile)];
  const found = resultsOf(all, fileOrCommit);
  if (found.length > 0) return found;
  const commits = [...new Set(all.map(({ commit }) => commit))].join(', ');
  throw new Error(
    `'${fileOrCommit}' is no file, and there are results of ${commits || 'no commit'}`,
  );
}

export function readResults(path: string): Result[] {
  return readJsonLines(path) as Result[];
}

/** `+` stands for changes that were not committed: abc+ is another run than abc. */
export function resultsOf(results: readonly Result[], commit: string): Result[] {
  if (!COMMIT.test(commit)) return [];
  return results.filter((result) => isSameCommit(result.commit, commit));
}

/** One may be the abbreviation of the other. */
function isSameCommit(a: string, b: string): boolean {
  if (a.endsWith('+') !== b.endsWith('+')) return false;
  const [shorter = '', longer = ''] = [a, b]
    .map((commit) => commit.replace('+', ''))
    .sort((x, y) => x.length - y.length);
  return longer.startsWith(shorter);
}
