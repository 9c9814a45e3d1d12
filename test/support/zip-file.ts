import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** By their paths in the archive: the files that go in, or, for links, where those lead. */
export type ZipEntries = Readonly<Record<string, string | { target: string }>>;

const LINK_MODE = 0o120_777;

export async function writeZip(path: string, entries: ZipEntries): Promise<string> {
  const zip = new ZipFile();
  for (const [name, entry] of Object.entries(entries)) {
    if (typeof entry === 'string') zip.addFile(entry, name);
    else zip.addBuffer(Buffer.from(entry.target), name, { mode: LINK_MODE });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

/** Writers of archives refuse some names: `from` becomes `to`, of the same length, wherever it stands. */
export async function renameInArchive(path: string, from: string, to: string): Promise<void> {
  const text = (await readFile(path)).toString('latin1');
  await writeFile(path, Buffer.from(text.replaceAll(from, to), 'latin1'));
}
