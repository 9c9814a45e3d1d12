import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { open, type Entry, type ZipFile } from 'yauzl';
import type { EntryFilter, PackageEntry } from './package-contents.js';

const TYPE_BITS = 0o170_000;
const FILE_TYPES = [0, 0o100_000];
const LINK_TYPE = 0o120_000;

/** Unpacks what the filter admits. Rejects if the archive is damaged, or the filter throws. */
export async function unpackZip(
  archive: string,
  folder: string,
  filter: EntryFilter,
): Promise<void> {
  const zip = await openZip(archive);
  // It is told to whoever waits for an entry; without a listener it would end the process.
  zip.on('error', () => {});
  try {
    for (let left = zip.entryCount; left > 0; left--) {
      const entry = await nextEntry(zip);
      if (!filter.admits(toPackageEntry(entry))) continue;
      const target = join(folder, entry.fileName);
      await mkdir(dirname(target), { recursive: true });
      const content = await openEntry(zip, entry);
      await pipeline(content, checked(entry), createWriteStream(target, { flags: 'wx' }));
    }
  } finally {
    zip.close();
  }
}

async function nextEntry(zip: ZipFile): Promise<Entry> {
  const next = once(zip, 'entry');
  zip.readEntry();
  const [entry] = (await next) as [Entry];
  return entry;
}

function toPackageEntry(entry: Entry): PackageEntry {
  const { fileName: path, uncompressedSize: bytes } = entry;
  return { path, kind: path.endsWith('/') ? 'folder' : kindOf(entry), bytes };
}

/** The library compares sizes, not checksums. */
function checked({ fileName, crc32: expected }: Entry) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let actual = 0;
    for await (const chunk of chunks) {
      actual = crc32(chunk, actual);
      yield chunk;
    }
    if (actual !== expected) throw new Error(`'${fileName}' has another checksum than it should`);
  };
}

/** Archives made on Unix have the type of the file in the upper half of its attributes. */
function kindOf({ externalFileAttributes }: Entry): PackageEntry['kind'] {
  const type = (externalFileAttributes >>> 16) & TYPE_BITS;
  if (FILE_TYPES.includes(type)) return 'file';
  return type === LINK_TYPE ? 'link' : 'other';
}

function openZip(archive: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(archive, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) reject(error);
      else resolve(zip);
    });
  });
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}
