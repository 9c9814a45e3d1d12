import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { WarmswapError } from '../rpc/errors.js';
import { dataFromJson } from '../rpc/json-tensor.js';
import { DATATYPES, type Datatype, type Tensor } from '../rpc/tensor.js';
import { decodeUtf8 } from '../rpc/unicode.js';

/** What a publisher puts beside a model as JSON: tensors, in files of bounded number and size. */

export type Tensors = Readonly<Record<string, Tensor>>;

export const MOST_FILES = 64;
const MOST_FILE_BYTES = 16 * 2 ** 20;
const MOST_TOTAL_BYTES = 64 * 2 ** 20;

/** One tensor. Its data are nested or flat arrays; see dataFromJson for the elements. */
const tensorSchema = z.strictObject({
  datatype: z.enum(Object.keys(DATATYPES) as [Datatype, ...Datatype[]]),
  shape: z.array(z.int().min(0)),
  data: z.custom<readonly unknown[]>(Array.isArray, 'expected an array'),
});

export const tensorsSchema = z.record(z.string(), tensorSchema);

/**
 * Reads documents of this schema: at most 64 files, of 16 MiB each and 64 MiB in all. Rejects with
 * FAILED_PRECONDITION, naming the file, what was expected and what came.
 */
export async function readJsonFiles<S extends z.ZodType>(
  paths: readonly string[],
  schema: S,
): Promise<readonly { path: string; document: z.output<S> }[]> {
  const first = paths[0];
  if (first !== undefined && paths.length > MOST_FILES) {
    throw refusal(first, `expected at most ${MOST_FILES} files in its folder, got more`);
  }
  const documents: { path: string; document: z.output<S> }[] = [];
  let bytesLeft = MOST_TOTAL_BYTES;
  for (const path of paths) {
    const bytes = await readBytes(path, bytesLeft);
    bytesLeft -= bytes.length;
    const text = decodeUtf8(bytes);
    if (text === undefined) throw refusal(path, 'expected UTF-8');
    documents.push({ path, document: parseDocument(text, schema, path) });
  }
  return documents;
}

/** Throws FAILED_PRECONDITION, naming the file, what was expected and what came. */
export function parseDocument<S extends z.ZodType>(
  text: string,
  schema: S,
  path: string,
): z.output<S> {
  const result = schema.safeParse(parseJson(text, path));
  if (result.success) return result.data;
  throw refusal(path, describeIssues(result.error.issues));
}

/** Throws FAILED_PRECONDITION, naming the file and the tensor, which is an input or an output. */
export function toTensors(
  tensors: z.output<typeof tensorsSchema>,
  role: 'input' | 'output',
  path: string,
): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      toTensor(tensor, `${path}: ${role} '${name}'`),
    ]),
  );
}

export function refusal(path: string, reason: string): WarmswapError {
  return new WarmswapError('FAILED_PRECONDITION', `${path}: ${reason}`);
}

async function readBytes(path: string, bytesLeft: number): Promise<Buffer> {
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

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(path, (error as Error).message);
  }
}

function toTensor({ datatype, shape, data }: z.output<typeof tensorSchema>, what: string): Tensor {
  try {
    const elements: unknown[] = data.flat(Infinity);
    const count = shape.reduce((product, size) => product * size, 1);
    if (elements.length === count)
      return { datatype, shape, data: dataFromJson(elements, datatype) };
    throw new Error(`expected ${count} elements for [${shape.join(', ')}], got ${elements.length}`);
  } catch (error) {
    throw refusal(what, (error as Error).message);
  }
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the document'}: ${message}`)
    .join('; ');
}
