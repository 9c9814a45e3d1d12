import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { WarmswapError } from '../../rpc/errors.js';
import { CUDA_PROVIDER } from '../../supervisor/device/cuda-provider.js';
import { readDynamic } from '../../supervisor/device/elf.js';
import { isCore, isVersionText, SHARED_PROVIDER, versionIn } from './package-contents.js';

/** The libraries of an unpacked package. */
export interface FoundPackage {
  shared: string;
  cuda: string;
  /** ONNX Runtime itself, which most packages have. */
  core?: string;
  /** As the package's own description has it. */
  version?: string;
}

/** Packages for several platforms have a folder for each. */
const PLATFORMS: Readonly<Record<string, RegExp>> = {
  x64: /(^|\/)linux-x64\//,
  arm64: /(^|\/)linux-(aarch64|arm64)\//,
};

/** Looks at what was unpacked from `source`. Rejects with FAILED_PRECONDITION if a library is missing. */
export async function findPackage(folder: string, source: string): Promise<FoundPackage> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const only = (isIt: (path: string) => boolean) => onlyOne(paths.filter(isIt), folder, source);
  const named = (name: string) => only((path) => basename(path) === name);
  const [shared, cuda] = [await named(SHARED_PROVIDER), await named(CUDA_PROVIDER)];
  if (shared === undefined) throw missing(source, SHARED_PROVIDER);
  if (cuda === undefined) throw missing(source, CUDA_PROVIDER);
  const core = await only(isCore);
  const version = await readVersion(paths, folder);
  return {
    ...{ shared, cuda },
    ...(core === undefined ? {} : { core }),
    ...(version === undefined ? {} : { version }),
  };
}

/** Of several, the one for this platform. Its path, if there is one. */
async function onlyOne(
  found: readonly string[],
  folder: string,
  source: string,
): Promise<string | undefined> {
  const platform = PLATFORMS[process.arch];
  const own = found.filter((path) => platform?.test(path));
  const candidates = own.length > 0 ? own : found;
  const [path, second] = candidates;
  if (path === undefined) return undefined;
  if (second !== undefined) {
    const reason = `${source} is refused: it has both ${path} and ${second}`;
    throw new WarmswapError('FAILED_PRECONDITION', reason);
  }
  await requireLibrary(join(folder, path), `${path} of ${source}`);
  return join(folder, path);
}

async function requireLibrary(path: string, name: string): Promise<void> {
  try {
    await readDynamic(path);
  } catch (error) {
    const reason = `${name} is no library: ${(error as Error).message}`;
    throw new WarmswapError('FAILED_PRECONDITION', reason);
  }
}

async function readVersion(paths: readonly string[], folder: string): Promise<string | undefined> {
  for (const path of paths.filter(isVersionText)) {
    const version = versionIn(path, await readFile(join(folder, path), 'utf8'));
    if (version !== undefined) return version;
  }
  return undefined;
}

function missing(source: string, name: string): WarmswapError {
  return new WarmswapError('FAILED_PRECONDITION', `${source} has no ${name}`);
}
