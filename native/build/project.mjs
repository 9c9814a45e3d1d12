// Where the parts of this package that the native build reads and writes are.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const buildFolder = join(projectRoot, 'build');
export const headersCache = join(buildFolder, 'headers');
export const cores = String(availableParallelism());

/** `require` as the package's own code sees it, also where npm hoists what it depends on. */
export const requireFromProject = createRequire(join(projectRoot, 'package.json'));

/** True for a package that someone depends on, false for a checkout that someone works in. */
export const isDependency = projectRoot.includes(`${sep}node_modules${sep}`);

/** The files below a folder of the project whose names end in one of `endings`, sorted. */
export function sourceFiles(folder, ...endings) {
  const top = join(projectRoot, folder);
  return listFolder(top)
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => join(top, name))
    .sort();
}

function listFolder(folder) {
  try {
    return readdirSync(folder, { recursive: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
