// Finds ONNX Runtime's C and C++ headers, or fetches them into the build folder.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { extractDebianPackages } from './debian-package.mjs';
import { firstFound } from './first-found.mjs';
import { Problem } from './problem.mjs';
import { headersCache } from './project.mjs';
import { extractReleaseHeaders, PINNED_RELEASE } from './release-archive.mjs';

const MINIMUM_API = 21;
const PLACES_IN_CACHE = ['usr/include/onnxruntime', 'include'];
const DEBIAN_CACHE = join(headersCache, 'onnxruntime-debian');
const RELEASE_CACHE = join(headersCache, `onnxruntime-${PINNED_RELEASE.version}`);

/**
 * Resolves to the folder of `onnxruntime_c_api.h` and `onnxruntime_cxx_api.h`, at API 21 or newer:
 * the one that ONNXRUNTIME_INCLUDE_DIR names, or the first found.
 * Throws a Problem if there is none, or if the named one cannot be used.
 */
export async function findOnnxRuntimeHeaders() {
  const named = process.env.ONNXRUNTIME_INCLUDE_DIR;
  if (named) return requireNamed(resolve(named));
  const { found, reasons } = await firstFound(sources());
  if (found) return found;
  throw new Problem(
    `No ONNX Runtime headers. Tried ${reasons.join(', ')}. Unpack a release archive of ONNX Runtime ` +
      '1.21 or newer and set ONNXRUNTIME_INCLUDE_DIR to its include folder',
  );
}

function sources() {
  return [
    { name: '/usr/include/onnxruntime', find: () => requireUsable('/usr/include/onnxruntime') },
    { name: headersCache, find: findInCache },
    { name: "Debian's libonnxruntime-dev", find: fetchFromDebian },
    { name: PINNED_RELEASE.url, find: fetchFromRelease },
  ];
}

function requireNamed(folder) {
  try {
    return requireUsable(folder);
  } catch (error) {
    throw new Problem(
      `ONNXRUNTIME_INCLUDE_DIR is ${folder}, but ${error.message}. Name the folder of ` +
        'onnxruntime_c_api.h of ONNX Runtime 1.21 or newer, or unset it',
    );
  }
}

function findInCache() {
  const names = existsSync(headersCache) ? readdirSync(headersCache) : [];
  const entries = names.filter((name) => name.startsWith('onnxruntime-'));
  const usable = entries.map((name) => usableInCache(join(headersCache, name))).find(Boolean);
  if (!usable) throw new Error('none in it');
  return usable;
}

function usableInCache(entry) {
  const places = PLACES_IN_CACHE.map((place) => join(entry, place));
  return places.find((place) => whyUnusable(place) === undefined);
}

async function fetchFromDebian() {
  await extractDebianPackages({
    names: ['libonnxruntime-dev'],
    suites: ['trixie'],
    into: DEBIAN_CACHE,
  });
  return requireUsable(join(DEBIAN_CACHE, 'usr/include/onnxruntime'));
}

async function fetchFromRelease() {
  await extractReleaseHeaders({ into: RELEASE_CACHE });
  return requireUsable(join(RELEASE_CACHE, 'include'));
}

function requireUsable(folder) {
  const reason = whyUnusable(folder);
  if (reason) throw new Error(reason);
  return folder;
}

function whyUnusable(folder) {
  for (const name of ['onnxruntime_c_api.h', 'onnxruntime_cxx_api.h']) {
    if (!existsSync(join(folder, name))) return `${name} is not there`;
  }
  const header = readFileSync(join(folder, 'onnxruntime_c_api.h'), 'utf8');
  const version = Number(/^#define ORT_API_VERSION (\d+)/m.exec(header)?.[1]);
  return version >= MINIMUM_API ? undefined : `its API version is ${version}, not 21 or newer`;
}
