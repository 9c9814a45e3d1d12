import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { benchBuild, projectRoot } from './paths.js';

/** A daemon's artifact store in build/bench, so that runs neither find nor leave anything elsewhere. */
export class ArtifactStore {
  readonly path: string;

  constructor() {
    const parent = join(benchBuild, 'stores');
    mkdirSync(parent, { recursive: true });
    this.path = mkdtempSync(join(parent, 'store-'));
  }

  /** Flags of `warmswap serve`; none for a daemon that has no store. */
  flags(): string[] {
    return daemonHasStore() ? ['--store', this.path] : [];
  }

  delete(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

let hasStore: boolean | undefined;

export function daemonHasStore(): boolean {
  return (hasStore ??= execFileSync(
    process.execPath,
    [join(projectRoot, 'dist', 'cli', 'main.js'), 'serve', '--help'],
    { encoding: 'utf8' },
  ).includes('--store'));
}
