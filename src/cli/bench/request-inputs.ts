import { readFile, stat } from 'node:fs/promises';
import { toTensor } from '../../client/tensors.js';
import { parseRequest } from '../../registry/request-file.js';
import { inputsMismatch } from '../../registry/signature.js';
import type { Tensor, TensorSignature } from '../../rpc/tensor.js';
import { decodeUtf8 } from '../../rpc/unicode.js';
import { checkShapes, readInputs, type Shapes } from '../input-options.js';
import { UsageError } from '../usage-error.js';
import { randomInputs } from './random-inputs.js';

/** The inputs of the requests of a load. */

export type Inputs = Readonly<Record<string, Tensor>>;

/** Where they come from: a file, or what is given and, for the rest, by chance. */
export interface InputFlags {
  /** A file. */
  requests?: string;
  input: readonly string[];
  shape: Shapes;
}

const MOST_GENERATED = 16;
/** Of all that are generated, but for the first. */
const MOST_GENERATED_BYTES = 64 * 2 ** 20;
const MOST_FILE_BYTES = 256 * 2 ** 20;

/** At least one. Throws UsageError for what does not fit the signature. */
export async function requestInputs(
  { requests, input, shape }: InputFlags,
  signature: readonly TensorSignature[],
): Promise<readonly Inputs[]> {
  if (requests !== undefined) return readRequests(requests, signature);
  checkShapes(shape, signature);
  const given = Object.entries(await readInputs(input, shape, signature));
  return generate(
    Object.fromEntries(given.map(([name, each]) => [name, toTensor(each)])),
    shape,
    signature,
  );
}

function generate(given: Inputs, shapes: Shapes, signature: readonly TensorSignature[]): Inputs[] {
  const missing = signature.filter(({ name }) => !Object.hasOwn(given, name));
  const all: Inputs[] = [];
  let bytes = 0;
  do {
    const inputs = { ...randomInputs(missing, shapes, all.length), ...given };
    const mismatch = inputsMismatch(inputs, signature);
    if (mismatch !== undefined) throw new UsageError(mismatch);
    all.push(inputs);
    bytes += sizeOf(inputs);
  } while (
    missing.length > 0 &&
    all.length < MOST_GENERATED &&
    (bytes / all.length) * (all.length + 1) <= MOST_GENERATED_BYTES
  );
  return all;
}

/** One request in each line, or one in the whole file. */
async function readRequests(
  path: string,
  signature: readonly TensorSignature[],
): Promise<Inputs[]> {
  try {
    const text = await readText(path);
    return parts(text, path).map(({ part, where }) => parseRequest(part, where, signature).inputs);
  } catch (error) {
    throw new UsageError(`--requests ${(error as Error).message}`);
  }
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MOST_FILE_BYTES) {
    throw new Error(`${path}: expected at most ${MOST_FILE_BYTES} bytes, got ${size}`);
  }
  const text = decodeUtf8(await readFile(path));
  if (text === undefined) throw new Error(`${path}: expected UTF-8`);
  return text;
}

function parts(text: string, path: string): { part: string; where: string }[] {
  const lines = text
    .split('\n')
    .map((part, i) => ({ part, where: `${path}:${i + 1}` }))
    .filter(({ part }) => part.trim() !== '');
  const [first] = lines;
  if (!first) throw new Error(`${path}: expected a request, got an empty file`);
  return isWhole(first.part) ? lines : [{ part: text, where: path }];
}

function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function sizeOf(inputs: Inputs): number {
  return Object.values(inputs).reduce((sum, { data }) => {
    return sum + (data instanceof Uint8Array ? data.length : 16 * data.length);
  }, 0);
}
