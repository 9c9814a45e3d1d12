import { z } from 'zod';
import type { TensorSignature } from '../rpc/tensor.js';
import {
  parseDocument,
  readJsonFiles,
  refusal,
  tensorsSchema,
  toTensors,
  type Tensors,
} from './json-files.js';
import { inputsMismatch } from './signature.js';

/** Requests that a publisher puts beside a model, as JSON. */

export interface FileRequest {
  path: string;
  inputs: Tensors;
}

const requestSchema = z.strictObject({ inputs: tensorsSchema });

/**
 * Reads requests for a model with these inputs, within the bounds of readJsonFiles. Rejects with
 * FAILED_PRECONDITION, naming the file, what was expected and what came.
 */
export async function readRequestFiles(
  paths: readonly string[],
  signature: readonly TensorSignature[],
): Promise<readonly FileRequest[]> {
  const files = await readJsonFiles(paths, requestSchema);
  return files.map(({ path, document }) => toRequest(document, path, signature));
}

/** One request from its text; `path` tells where it stands. Throws as readRequestFiles rejects. */
export function parseRequest(
  text: string,
  path: string,
  signature: readonly TensorSignature[],
): FileRequest {
  return toRequest(parseDocument(text, requestSchema, path), path, signature);
}

function toRequest(
  document: z.output<typeof requestSchema>,
  path: string,
  signature: readonly TensorSignature[],
): FileRequest {
  const inputs = toTensors(document.inputs, 'input', path);
  const mismatch = inputsMismatch(inputs, signature);
  if (mismatch !== undefined) throw refusal(path, mismatch);
  return { path, inputs };
}
