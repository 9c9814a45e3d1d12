import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readDynamic, type DynamicSection } from './elf.js';

/** A shared library by name, and where it is. */
export interface NeededLibrary {
  name: string;
  /** None: it is nowhere. */
  path?: string;
  /** It is there, but the dynamic loader does not look there. */
  isOutside?: true;
}

/** Where libraries are looked for. */
export interface LibrarySearch {
  /** LD_LIBRARY_PATH. */
  first: readonly string[];
  /** Paths by name, of ld.so.cache. */
  cache: ReadonlyMap<string, string>;
  /** The loader's own folders. */
  standard: readonly string[];
  /** Where CUDA is often installed, which the loader does not know of. */
  usual: readonly string[];
}

const MOST_LIBRARIES = 256;
const LDCONFIG_TIMEOUT_MS = 10_000;
const LDCONFIG_BYTES = 2 ** 24;
/** An ordinary user's PATH often lacks the folder. */
const LDCONFIGS = ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig'];
const PLATFORMS: Readonly<Record<string, { triplet: string; cacheMark: string; cuda: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', cacheMark: 'x86-64', cuda: 'x86_64-linux' },
  arm64: { triplet: 'aarch64-linux-gnu', cacheMark: 'AArch64', cuda: 'sbsa-linux' },
};
const PLATFORM = PLATFORMS[process.arch];

/** Reads where this host's dynamic loader looks. */
export async function readLibrarySearch(environment: NodeJS.ProcessEnv): Promise<LibrarySearch> {
  const folders = (environment.LD_LIBRARY_PATH ?? '').split(/[:;]/);
  const triplet = PLATFORM?.triplet ?? '';
  return {
    first: folders.filter((folder) => folder !== ''),
    cache: parseLoaderCache(await runLdconfig(), PLATFORM?.cacheMark ?? ''),
    standard: [
      `/lib/${triplet}`,
      `/usr/lib/${triplet}`,
      '/lib64',
      '/usr/lib64',
      '/lib',
      '/usr/lib',
    ],
    usual: await cudaFolders(),
  };
}

/** What `ldconfig -p` prints: the first path of each name for the architecture `mark`. */
export function parseLoaderCache(text: string, mark: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const [, name = '', kind = '', path = ''] of text.matchAll(
    /^\s+(\S+) \(([^)]*)\) => (\S.*)$/gm,
  )) {
    if (kind.includes(mark) && !paths.has(name)) paths.set(name, path);
  }
  return paths;
}

/** The libraries that `path` needs, those that they need in turn included. Rejects if it is no ELF file. */
export async function neededLibraries(
  path: string,
  search: LibrarySearch,
): Promise<NeededLibrary[]> {
  const known = new Map<string, NeededLibrary>();
  const waiting = [{ file: path, section: await readDynamic(path) }];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    for (const name of next.section.needed) {
      if (known.has(name) || known.size >= MOST_LIBRARIES) continue;
      const library = find(name, dirname(next.file), next.section.runpath, search);
      known.set(name, library);
      if (library.path === undefined) continue;
      waiting.push({ file: library.path, section: await readIfPossible(library.path) });
    }
  }
  return [...known.values()];
}

/** One that is damaged is there all the same. */
function readIfPossible(path: string): Promise<DynamicSection> {
  return readDynamic(path).catch(() => ({ needed: [], runpath: [] }));
}

/** The driver's own library, which CUDA programs open. */
export function findDriverLibrary(search: LibrarySearch): NeededLibrary {
  return find('libcuda.so.1', '', [], search);
}

function find(
  name: string,
  origin: string,
  runpath: readonly string[],
  { first, cache, standard, usual }: LibrarySearch,
): NeededLibrary {
  // ONNX Runtime opens its own libraries by path, before those that need them.
  const own = name.startsWith('libonnxruntime') ? [origin] : [];
  const ownRunpath = runpath.map((folder) => folder.replace(/\$(ORIGIN|\{ORIGIN\})/g, origin));
  const inFolders = (folders: readonly string[]) =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  const path =
    inFolders([...own, ...first, ...ownRunpath]) ?? cache.get(name) ?? inFolders(standard);
  if (path !== undefined) return { name, path };
  const outside = inFolders(usual);
  return outside === undefined ? { name } : { name, path: outside, isOutside: true };
}

async function cudaFolders(): Promise<string[]> {
  const names = await readdir('/usr/local').catch(() => []);
  const roots = names.filter((name) => /^cuda(-[\d.]+)?$/.test(name)).sort();
  const target = PLATFORM?.cuda ?? '';
  const folders = [...roots.map((root) => `/usr/local/${root}`), '/opt/cuda'];
  return [
    ...folders.flatMap((folder) => [`${folder}/lib64`, `${folder}/targets/${target}/lib`]),
    '/usr/lib/wsl/lib',
  ];
}

async function runLdconfig(): Promise<string> {
  const options = { timeout: LDCONFIG_TIMEOUT_MS, maxBuffer: LDCONFIG_BYTES };
  for (const command of LDCONFIGS) {
    try {
      return (await promisify(execFile)(command, ['-p'], options)).stdout;
    } catch {
      // The next one may be there.
    }
  }
  return '';
}
