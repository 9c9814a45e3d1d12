import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WarmswapError } from '../rpc/errors.js';
import { versionFiles } from './scan.js';

const CHUNK_BYTES = 4 * 2 ** 20;

/** SHA-256 over the names and contents of a version's files, in hexadecimal. Reads all of them. */
export async function sourceDigest(modelPath: string): Promise<string> {
  const folder = dirname(modelPath);
  await requireRegularFiles(modelPath);
  const digest = createHash('sha256');
  for (const path of await versionFiles(folder)) {
    digest.update(`${path}\0${await fileDigest(join(folder, path))}\n`);
  }
  return digest.digest('hex');
}

/** Opening a pipe would wait for its writer for ever. */
async function requireRegularFiles(modelPath: string): Promise<void> {
  const folder = dirname(modelPath);
  for (const path of [basename(modelPath), ...(await versionFiles(folder))]) {
    const file = await stat(join(folder, path)).catch(() => null);
    if (file?.isFile()) continue;
    const what = file ? 'is no regular file' : 'is missing';
    throw new WarmswapError('FAILED_PRECONDITION', `${join(folder, path)} ${what}`);
  }
}

async function fileDigest(path: string): Promise<string> {
  const digest = createHash('sha256');
  const chunks = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  for await (const chunk of chunks as AsyncIterable<Buffer>) digest.update(chunk);
  return digest.digest('hex');
}
