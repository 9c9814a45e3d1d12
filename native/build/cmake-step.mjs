// Runs CMake quietly; if it fails, shows what matters of its output.
import { rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from './command.mjs';
import { Problem } from './problem.mjs';
import { cores } from './project.mjs';

const MOST_LINES = 60;
const NOISE =
  /^(\[\s*\d+(%|\/\d+)\]|FAILED: |: && |g?make(\[\d+\])?: |ninja: |-- |\S+ .* -o \S+ -c )/;
const ERROR = /\berror\b|undefined reference|multiple definition/i;

/** Configures `folder` by a cmake command line; a cache left by another setup is made anew. */
export async function configure(folder, [program, ...args]) {
  const cache = join(folder, 'CMakeCache.txt');
  let result = await capture(program, args);
  if (!result.ok && existsSync(cache)) {
    await rm(cache);
    await rm(join(folder, 'CMakeFiles'), { recursive: true, force: true });
    result = await capture(program, args);
  }
  if (!result.ok) throw stepProblem('CMake could not configure the native build', result.output);
}

export async function build(folder, target) {
  const args = ['--build', folder, '--target', target, '--parallel', cores];
  const { ok, output } = await capture('cmake', args);
  if (!ok) throw stepProblem(`The native code (${target}) did not compile`, output);
}

function stepProblem(what, output) {
  return new Problem(`${what}; its errors are above`, linesThatMatter(output));
}

/** Without progress and command lines, from a little before the first error on. */
export function linesThatMatter(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !NOISE.test(line));
  const firstError = lines.findIndex((line) => ERROR.test(line));
  const start = Math.max(0, firstError - 3);
  return lines.slice(start, start + MOST_LINES);
}
