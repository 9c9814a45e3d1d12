import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WarmswapError } from '../rpc/errors.js';
import { versionFiles } from './scan.js';

const CHUNK_BYTES = 4 * 2 ** 20;

export interface SourceDigest {
  /** SHA-256 over the names and contents of a version's files, in hexadecimal. */
  all: string;
  /** SHA-256 of model.onnx alone. */
  model: string;
}

/** Reads all files of a version. Rejects with FAILED_PRECONDITION if one is no regular file. */
export async function sourceDigest(modelPath: string): Promise<SourceDigest> {
  const folder = dirname(modelPath);
  await requireRegularFiles(modelPath);
  const all = createHash('sha256');
  let model = '';
  for (const path of await versionFiles(folder)) {
    const digest = await fileDigest(join(folder, path));
    if (path === basename(modelPath)) model = digest;
    all.update(`${path}\0${digest}\n`);
  }
  return { all: all.digest('hex'), model };
}

/** Why a model.onnx is not what was meant to be published; nothing if it is. */
export function digestMismatch(expected: string | undefined, got: string): string | undefined {
  if (expected === undefined || expected === got) return undefined;
  return `model.onnx has another SHA-256 than model.yaml says: expected ${expected}, got ${got}`;
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
