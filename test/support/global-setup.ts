import { execFileSync } from 'node:child_process';
import { fixturesDir } from '../fixtures/paths.js';
import { writeFixtures } from '../fixtures/repository.js';

/** The integration tests drive the built daemon, over the generated models. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  writeFixtures(fixturesDir);
}
