import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { WarmswapError } from '../rpc/errors.js';
import { dataFromJson } from '../rpc/json-tensor.js';
import { DATATYPES, type Datatype, type Tensor, type TensorSignature } from '../rpc/tensor.js';
import { inputsMismatch } from './signature.js';

/** Requests that a publisher puts beside a model, as JSON. */

export interface FileRequest {
  path: string;
  inputs: Readonly<Record<string, Tensor>>;
}

export const MOST_FILES = 64;
const MOST_FILE_BYTES = 16 * 2 ** 20;
const MOST_TOTAL_BYTES = 64 * 2 ** 20;

/** One tensor. Its data are nested or flat arrays; see dataFromJson for the elements. */
const tensorSchema = z.strictObject({
  datatype: z.enum(Object.keys(DATATYPES) as [Datatype, ...Datatype[]]),
  shape: z.array(z.int().min(0)),
  data: z.custom<readonly unknown[]>(Array.isArray, 'expected an array'),
});

const requestSchema = z.strictObject({ inputs: z.record(z.string(), tensorSchema) });

/**
 * Reads requests for a model with these inputs: at most 64 files, of 16 MiB each and 64 MiB in all.
 * Rejects with FAILED_PRECONDITION, naming the file, what was expected and what came.
 */
export async function readRequestFiles(
  paths: readonly string[],
  signature: readonly TensorSignature[],
): Promise<readonly FileRequest[]> {
  const first = paths[0];
  if (first !== undefined && paths.length > MOST_FILES) {
    throw refusal(first, `expected at most ${MOST_FILES} files in its folder, got more`);
  }
  const requests: FileRequest[] = [];
  let bytesLeft = MOST_TOTAL_BYTES;
  for (const path of paths) {
    const text = await readText(path, bytesLeft);
    bytesLeft -= text.length;
    requests.push({ path, inputs: parseRequest(text, path, signature) });
  }
  return requests;
}

async function readText(path: string, bytesLeft: number): Promise<Buffer> {
  try {
    const file = await stat(path);
    if (!file.isFile()) throw new Error('expected a regular file');
    const most = Math.min(MOST_FILE_BYTES, bytesLeft);
    if (file.size <= most) return await readFile(path);
    const why =
      most < MOST_FILE_BYTES ? `, what the files before leave of ${MOST_TOTAL_BYTES}` : '';
    throw new Error(`expected at most ${most} bytes${why}, got ${file.size}`);
  } catch (error) {
    throw refusal(path, (error as Error).message);
  }
}

function parseRequest(
  text: Buffer,
  path: string,
  signature: readonly TensorSignature[],
): FileRequest['inputs'] {
  const result = requestSchema.safeParse(parseJson(text, path));
  if (!result.success) throw refusal(path, describeIssues(result.error.issues));
  const inputs = Object.entries(result.data.inputs).map(
    ([name, tensor]) => [name, toTensor(tensor, name, path)] as const,
  );
  const request = Object.fromEntries(inputs);
  const mismatch = inputsMismatch(request, signature);
  if (mismatch !== undefined) throw refusal(path, mismatch);
  return request;
}

function parseJson(text: Buffer, path: string): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw refusal(path, (error as Error).message);
  }
}

function toTensor(
  { datatype, shape, data }: z.output<typeof tensorSchema>,
  name: string,
  path: string,
): Tensor {
  try {
    const elements: unknown[] = data.flat(Infinity);
    const count = shape.reduce((product, size) => product * size, 1);
    if (elements.length === count)
      return { datatype, shape, data: dataFromJson(elements, datatype) };
    throw new Error(`expected ${count} elements for [${shape.join(', ')}], got ${elements.length}`);
  } catch (error) {
    throw refusal(path, `input '${name}': ${(error as Error).message}`);
  }
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the document'}: ${message}`)
    .join('; ');
}

function refusal(path: string, reason: string): WarmswapError {
  return new WarmswapError('FAILED_PRECONDITION', `${path}: ${reason}`);
}
