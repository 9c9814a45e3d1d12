import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

const compiler = process.env.CXX ?? 'c++';

/** Makes a shared library without content, which needs others, with the compiler that builds the addon. */
export function makeLibrary(
  path: string,
  needed: readonly string[] = [],
  flags: readonly string[] = [],
): void {
  execFileSync(compiler, [
    ...['-shared', '-o', path, `-Wl,-soname,${basename(path)}`, '-Wl,--no-as-needed'],
    ...['-Wl,--allow-shlib-undefined', ...needed, ...flags],
  ]);
}

/** Makes one of a C++ source. */
export function compileLibrary(path: string, source: string, flags: readonly string[] = []): void {
  const command = ['-shared', '-fPIC', '-std=c++20', ...flags, '-o', path, '-x', 'c++', '-'];
  execFileSync(compiler, command, { input: source });
}
