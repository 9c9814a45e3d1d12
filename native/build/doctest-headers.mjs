// Finds doctest's header, which only the native tests need.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { extractDebianPackages } from './debian-package.mjs';
import { firstFound } from './first-found.mjs';
import { Problem } from './problem.mjs';
import { headersCache } from './project.mjs';

const CACHE = join(headersCache, 'doctest-debian');
const CACHED_INCLUDES = join(CACHE, 'usr/include');

/** Resolves to the folder of `doctest/doctest.h`; throws a Problem if there is none. */
export async function findDoctestHeaders() {
  const { found, reasons } = await firstFound([
    { name: '/usr/include', find: () => requireDoctest('/usr/include') },
    { name: headersCache, find: () => requireDoctest(CACHED_INCLUDES) },
    { name: "Debian's doctest-dev", find: fetchFromDebian },
  ]);
  if (found) return found;
  throw new Problem(
    `No doctest headers. Tried ${reasons.join(', ')}. Install them: ` +
      'apt-get install doctest-dev (Debian, Ubuntu) or dnf install doctest-devel (Fedora)',
  );
}

async function fetchFromDebian() {
  await extractDebianPackages({ names: ['doctest-dev'], suites: ['trixie'], into: CACHE });
  return requireDoctest(CACHED_INCLUDES);
}

function requireDoctest(folder) {
  if (!existsSync(join(folder, 'doctest/doctest.h'))) throw new Error('doctest.h is not there');
  return folder;
}
