// Finds Google Benchmark, which only the native benchmarks need.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractDebianPackages } from './debian-package.mjs';
import { firstFound } from './first-found.mjs';
import { Problem } from './problem.mjs';
import { headersCache } from './project.mjs';

const CACHE = join(headersCache, 'google-benchmark-debian');
const NAMES = ['libbenchmark-dev', 'libbenchmark1debian'];
const LIBRARIES = ['libbenchmark.a', 'libbenchmark.so'];

/**
 * Resolves to `{ includes, library }`: the folder of `benchmark/benchmark.h`, and the file to link
 * with. Throws a Problem if there is none.
 */
export async function findGoogleBenchmark() {
  const { found, reasons } = await firstFound([
    { name: '/usr', find: () => requireBenchmark('/usr') },
    { name: '/usr/local', find: () => requireBenchmark('/usr/local') },
    { name: headersCache, find: () => requireBenchmark(join(CACHE, 'usr')) },
    { name: "Debian's libbenchmark-dev", find: fetchFromDebian },
  ]);
  if (found) return found;
  throw new Problem(
    `No Google Benchmark. Tried ${reasons.join(', ')}. Install it: ` +
      'apt-get install libbenchmark-dev (Debian, Ubuntu) or dnf install google-benchmark-devel (Fedora)',
  );
}

/** Of the release of this machine: a library of a newer one may want a newer C++ library. */
async function fetchFromDebian() {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (!codename) throw new Error('/etc/os-release names no release');
  await extractDebianPackages({ names: NAMES, suites: [codename], into: CACHE });
  return requireBenchmark(join(CACHE, 'usr'));
}

function requireBenchmark(prefix) {
  const includes = join(prefix, 'include');
  if (!existsSync(join(includes, 'benchmark/benchmark.h'))) throw new Error('benchmark.h is not there');
  const library = libraryFolders(prefix)
    .flatMap((folder) => LIBRARIES.map((name) => join(folder, name)))
    .find(existsSync);
  if (!library) throw new Error('libbenchmark is not there');
  return { includes, library };
}

/** Debian has a folder for each architecture in lib. */
function libraryFolders(prefix) {
  const lib = join(prefix, 'lib');
  const below = existsSync(lib) ? readdirSync(lib).filter((name) => name.includes('-linux-')) : [];
  return [...below.map((name) => join(lib, name)), join(prefix, 'lib64'), lib];
}
