import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from './paths.js';

/** Into build/bench; does nothing if it is there and up to date. */
export function buildLoadGenerator(): void {
  const script = join(projectRoot, 'native', 'build', 'build-load-generator.mjs');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
