// Checks the tools that the native build needs; a missing one is a Problem with its remedy.
import { capture, isInstalled } from './command.mjs';
import { Problem } from './problem.mjs';

const MINIMUM_NODE = [20, 17];
const MINIMUM_CMAKE = [3, 18];

const CXX20_SNIPPET = `
#include <concepts>
#include <semaphore>
#include <span>
static_assert(__cplusplus >= 202002L);
int main() { return static_cast<int>(std::span<int>{}.size()); }
`;

export function requireNode(version = process.versions.node) {
  if (isOlder(version, MINIMUM_NODE)) {
    throw new Problem(
      `Node.js ${version} is too old. Install 20.17 or newer: https://nodejs.org/en/download`,
    );
  }
}

export async function requireCMake() {
  const { ok, stdout } = await capture('cmake', ['--version']);
  const remedy = 'apt-get install cmake (Debian, Ubuntu) or see https://cmake.org/download';
  if (!ok) throw new Problem(`CMake is missing. Install it: ${remedy}`);
  const version = /version (\d+\.\d+[.\d]*)/.exec(stdout)?.[1] ?? 'of unknown version';
  if (isOlder(version, MINIMUM_CMAKE)) {
    throw new Problem(`CMake ${version} is too old. Install 3.18 or newer: ${remedy}`);
  }
}

/** Resolves to the generator that `cmake -G` is to use. */
export async function requireGenerator() {
  if (await isInstalled('ninja')) return 'Ninja';
  if (await isInstalled('make')) return 'Unix Makefiles';
  throw new Problem(
    'make is missing. Install it (or Ninja): apt-get install make (Debian, Ubuntu)',
  );
}

/** Resolves to the compiler as CMAKE_CXX_COMPILER wants it: $CXX, or the first found that works. */
export async function requireCompiler() {
  const chosen = process.env.CXX?.trim();
  const candidates = chosen ? [chosen] : ['c++', 'g++', 'clang++'];
  const tooOld = [];
  for (const candidate of candidates) {
    const words = candidate.split(/\s+/);
    const { ok, missing } = await compileSnippet(words);
    if (ok) return words.join(';');
    if (!missing) tooOld.push(candidate);
  }
  throw compilerProblem(chosen, tooOld);
}

function compileSnippet([program, ...args]) {
  const flags = ['-std=c++20', '-fsyntax-only', '-x', 'c++', '-'];
  return capture(program, [...args, ...flags], { input: CXX20_SNIPPET });
}

function compilerProblem(chosen, tooOld) {
  const remedy = 'apt-get install g++ (Debian, Ubuntu) or dnf install gcc-c++ (Fedora)';
  if (tooOld.length > 0) {
    return new Problem(
      `${tooOld.join(', ')} cannot compile C++20. Install GCC 11, Clang 14 or newer, ` +
        'and name it in CXX if it is not the default',
    );
  }
  if (chosen) return new Problem(`CXX names ${chosen}, which is missing. Unset CXX or install it`);
  return new Problem(`A C++ compiler is missing. Install it: ${remedy}`);
}

function isOlder(version, [minimumMajor, minimumMinor]) {
  const [major, minor] = version.split('.').map(Number);
  return !(major > minimumMajor || (major === minimumMajor && minor >= minimumMinor));
}
