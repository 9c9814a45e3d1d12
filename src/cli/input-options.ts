import { readFile } from 'node:fs/promises';
import type { InputTensor, TensorSignature } from '../client/index.js';
import { decodeUtf8 } from '../rpc/unicode.js';
import { bytesToInput, jsonToInput, npyToInput } from './infer-input.js';
import { UsageError } from './usage-error.js';

/** `--input NAME=VALUE` and `--shape NAME=1,512`, as infer and bench take them. */

export type Shapes = Readonly<Record<string, readonly number[]>>;
export type Inputs = Readonly<Record<string, InputTensor>>;

/**
 * The inputs that are given. A value is JSON, numbers, or `@file`: .json, .npy, else raw bytes. A shape
 * that is given for one replaces its own. Throws UsageError, naming the input.
 */
export async function readInputs(
  texts: readonly string[],
  shapes: Shapes,
  signature: readonly TensorSignature[],
): Promise<Inputs> {
  const inputs = new Map<string, InputTensor>();
  for (const text of texts) {
    const { tensor, value } = splitInput(text, signature);
    if (inputs.has(tensor.name)) throw new UsageError(`--input gives '${tensor.name}' twice`);
    inputs.set(tensor.name, await readInput(value, tensor, shapes[tensor.name]));
  }
  return Object.fromEntries(inputs);
}

/** Throws UsageError for shapes of what is no input. */
export function checkShapes(shapes: Shapes, signature: readonly TensorSignature[]): void {
  for (const name of Object.keys(shapes)) {
    if (signature.some((input) => input.name === name)) continue;
    throw new UsageError(
      `--shape takes NAME=1,512 with a NAME of ${names(signature)}, got '${name}'`,
    );
  }
}

function splitInput(text: string, signature: readonly TensorSignature[]) {
  const tensor = signature.find(({ name }) => text.startsWith(`${name}=`));
  const value = text.slice((tensor?.name.length ?? 0) + 1);
  if (tensor && value !== '') return { tensor, value };
  throw new UsageError(
    `--input takes NAME=VALUE with a NAME of ${names(signature)}, got '${text}'`,
  );
}

async function readInput(
  value: string,
  tensor: TensorSignature,
  shape: readonly number[] | undefined,
): Promise<InputTensor> {
  const wanted = shape ? { ...tensor, shape } : tensor;
  if (!value.startsWith('@')) return withShape(jsonToInput(value, wanted), wanted, shape);
  const path = value.slice(1);
  const bytes = await readBytes(path, tensor.name);
  if (path.endsWith('.npy')) return withShape(npyToInput(bytes, wanted), wanted, shape);
  if (!path.endsWith('.json')) return bytesToInput(bytes, wanted);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new UsageError(`input '${tensor.name}': ${path} is no UTF-8`);
  return withShape(jsonToInput(text, wanted), wanted, shape);
}

function withShape(
  input: InputTensor,
  { name }: TensorSignature,
  shape: readonly number[] | undefined,
): InputTensor {
  if (!shape) return input;
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === input.data.length) return { ...input, shape };
  throw new UsageError(
    `input '${name}': --shape ${shape.join(',')} holds ${count} elements, got ${input.data.length}`,
  );
}

async function readBytes(path: string, name: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`input '${name}': ${(error as Error).message}`);
  }
}

function names(signature: readonly TensorSignature[]): string {
  return signature.map(({ name }) => name).join(', ');
}
