import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..', '..');

/** Everything that the benchmarks write; never part of the repository. */
export const benchBuild = join(projectRoot, 'build', 'bench');

export const loadGenerator = join(benchBuild, 'load', 'warmswap_load');
export const peersDir = join(projectRoot, 'bench', 'peers');
