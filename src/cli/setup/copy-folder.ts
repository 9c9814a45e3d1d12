import { constants, type Dirent } from 'node:fs';
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { EntryFilter, PackageEntry } from './package-contents.js';

/** Copies what the filter admits of a folder and those in it. Rejects if it cannot be read, or the filter throws. */
export async function copyFolder(
  source: string,
  folder: string,
  filter: EntryFilter,
): Promise<void> {
  const waiting = [source];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const from = join(next, entry.name);
      if (entry.isDirectory()) waiting.push(from);
      const path = relative(source, from).split(sep).join('/');
      const kind = kindOf(entry);
      const bytes = kind === 'file' ? (await stat(from)).size : 0;
      if (!filter.admits({ path, kind, bytes })) continue;
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(from, target, constants.COPYFILE_EXCL);
    }
  }
}

function kindOf(entry: Dirent): PackageEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
