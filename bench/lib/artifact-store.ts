import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { benchBuild } from './paths.js';

/** A daemon's artifact store in build/bench, so that runs neither find nor leave anything elsewhere. */
export class ArtifactStore {
  readonly path: string;

  constructor() {
    const parent = join(benchBuild, 'stores');
    mkdirSync(parent, { recursive: true });
    this.path = mkdtempSync(join(parent, 'store-'));
  }

  /** Flags of `warmswap serve`. */
  flags(): string[] {
    return ['--store', this.path];
  }

  delete(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
