import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchBuild, peersDir } from './paths.js';

/** Packages of peers, installed into build/bench as their lock files say. */

/** Why the packages of peers/NAME/requirements.txt cannot be had; undefined once they are there. */
export function pythonProblem(name: string): string | undefined {
  return failureOf(join(peersDir, 'make-venv.sh'), [name]);
}

export function pythonOf(name: string): string {
  return join(benchBuild, 'venvs', name, 'bin', 'python');
}

/**
 * The same of peers/NAME/package-lock.json. A program finds its packages beside itself, so
 * `server.mjs` is copied to where they are: see `installedProgram`.
 */
export function nodeProblem(name: string): string | undefined {
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true });
  if (!isInstalled(name)) {
    for (const file of ['package.json', LOCK]) copyFrom(name, file);
    const problem = failureOf('npm', ['ci', '--prefix', folder, ...QUIETLY]);
    if (problem !== undefined) return `npm ci: ${problem}`;
    copyFileSync(join(peersDir, name, LOCK), installedLock(name));
  }
  copyFrom(name, PROGRAM);
  return undefined;
}

export function installedProgram(name: string): string {
  return join(folderOf(name), PROGRAM);
}

const LOCK = 'package-lock.json';
const PROGRAM = 'server.mjs';
const QUIETLY = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

const folderOf = (name: string) => join(benchBuild, 'peers', name);
/** Written last, so that it tells that all packages are there. */
const installedLock = (name: string) => join(folderOf(name), 'installed.json');

function isInstalled(name: string): boolean {
  const installed = installedLock(name);
  return (
    existsSync(installed) &&
    readFileSync(installed).equals(readFileSync(join(peersDir, name, LOCK)))
  );
}

function copyFrom(name: string, file: string): void {
  copyFileSync(join(peersDir, name, file), join(folderOf(name), file));
}

/** The last line of what the program says of its failure. */
function failureOf(program: string, args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? `exit code ${status}`);
}
