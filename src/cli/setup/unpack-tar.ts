import { extract, type ReadEntry } from 'tar';
import type { EntryFilter, PackageEntry } from './package-contents.js';

/** Unpacks what the filter admits, compressed with gzip or not. Rejects if the archive is damaged, or the filter throws. */
export async function unpackTar(
  archive: string,
  folder: string,
  filter: EntryFilter,
): Promise<void> {
  // Thrown in the middle of a stream it would reach nobody.
  let refusal: unknown;
  const admits = (path: string, entry: ReadEntry): boolean => {
    if (refusal !== undefined) return false;
    try {
      return filter.admits({ path, kind: kindOf(entry), bytes: entry.size });
    } catch (error) {
      refusal = error;
      return false;
    }
  };
  await extract({
    file: archive,
    cwd: folder,
    strict: true,
    filter: (path, entry) => 'type' in entry && admits(path, entry),
  });
  if (refusal !== undefined) throw refusal as Error;
}

function kindOf({ type }: ReadEntry): PackageEntry['kind'] {
  if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') return 'file';
  if (type === 'Directory') return 'folder';
  return type === 'Link' || type === 'SymbolicLink' ? 'link' : 'other';
}
