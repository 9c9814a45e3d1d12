import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..', '..');

/** Everything that the benchmarks write; never part of the repository. */
export const benchBuild = join(projectRoot, 'build', 'bench');

export const loadGenerator = join(benchBuild, 'load', 'warmswap_load');
export const peersDir = join(projectRoot, 'bench', 'peers');

/** A line per figure, of all runs. */
export const resultsFile = join(benchBuild, 'results.jsonl');
/** A line per curve that a plot can be drawn from, of all runs. */
export const recordingsFile = join(benchBuild, 'recordings.jsonl');
/** The same as results.jsonl, of the runs that were published. */
export const historyFile = join(projectRoot, 'bench', 'history.jsonl');
/** Plots of a published run. */
export const plotsDir = join(projectRoot, 'bench', 'plots');
