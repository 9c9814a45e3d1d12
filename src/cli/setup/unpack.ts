import { open, stat } from 'node:fs/promises';
import { toWarmswapError, WarmswapError } from '../../rpc/errors.js';
import { UsageError } from '../usage-error.js';
import { copyFolder } from './copy-folder.js';
import { EntryFilter } from './package-contents.js';
import { unpackTar } from './unpack-tar.js';
import { unpackZip } from './unpack-zip.js';

type Unpack = typeof unpackZip;

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZIP = Buffer.from('PK\x03\x04', 'latin1');
const TAR = { mark: Buffer.from('ustar'), offset: 257 };
const HEAD_BYTES = 512;

/**
 * Unpacks what is wanted of a folder or archive into `folder`, with the paths that it has there. Rejects
 * with UsageError if `source` is none of them, with FAILED_PRECONDITION if it is damaged or refused.
 */
export async function unpackPackage(source: string, folder: string): Promise<void> {
  const unpack = await kindOf(source);
  try {
    await unpack(source, folder, new EntryFilter(source));
  } catch (error) {
    if (error instanceof WarmswapError) throw error;
    const { message } = toWarmswapError(error);
    const reason = `${source} cannot be unpacked: ${message}`;
    throw new WarmswapError('FAILED_PRECONDITION', reason, { cause: error });
  }
}

/** By what it begins with: names of archives are changed easily. */
async function kindOf(source: string): Promise<Unpack> {
  const head = await readHead(source);
  if (!head) return copyFolder;
  const begins = (mark: Buffer, offset = 0) =>
    head.subarray(offset, offset + mark.length).equals(mark);
  if (begins(ZIP)) return unpackZip;
  if (begins(GZIP) || begins(TAR.mark, TAR.offset)) return unpackTar;
  throw new UsageError(
    `--from takes a folder, a .whl, .jar, .nupkg or .zip, or a .tgz; ${source} is none of them`,
  );
}

/** Nothing of a folder. */
async function readHead(source: string): Promise<Buffer | undefined> {
  try {
    if ((await stat(source)).isDirectory()) return undefined;
    const file = await open(source);
    const { buffer, bytesRead } = await file
      .read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
      .finally(() => file.close());
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new UsageError(`--from ${source}: ${(error as Error).message}`);
  }
}
