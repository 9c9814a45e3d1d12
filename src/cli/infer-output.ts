import { writeFile } from 'node:fs/promises';
import {
  float32Values,
  type Datatype,
  type InferAnswer,
  type OutputTensor,
  type TensorSignature,
} from '../client/index.js';
import { toTensor } from '../client/tensors.js';
import { decodeUtf8 } from '../rpc/unicode.js';
import { formatNpy } from './npy.js';
import { alignColumns } from './table.js';
import { UsageError } from './usage-error.js';

/** What `warmswap infer` makes of an answer: text for people, JSON for programs, .npy files. */

const MOST_VALUES = 16;
/** Of the values for people: what the datatype holds. */
const DIGITS: Partial<Readonly<Record<Datatype, number>>> = { FP16: 4, BF16: 3, FP32: 7 };

/**
 * All values. Integers of 64 bits and floats that are no numbers are texts; BYTES are texts, or
 * `{"base64": …}` where they are no UTF-8.
 */
export function answerToJson(answer: InferAnswer): string {
  const outputs = Object.entries(answer.outputs).map(([name, output]) => {
    const { datatype, shape } = output;
    return [name, { datatype, shape, data: valuesOf(output).map(toJsonValue) }] as const;
  });
  return JSON.stringify({ ...answer, outputs: Object.fromEntries(outputs) });
}

/** A line for each output, with its first values. */
export function answerToText({ model, version, outputs, timing }: InferAnswer): string {
  const rows = Object.entries(outputs).map(([name, output]) => [
    name,
    `${output.datatype} [${output.shape.join(', ')}]`,
    firstValues(output),
  ]);
  const time = `queued ${timing.queueUs.toFixed(0)} µs, ran ${timing.computeUs.toFixed(0)} µs`;
  return [`${model} version ${version} (${time})`, ...alignColumns(rows, '  ')].join('\n');
}

/** File to write by name of the output. */
export type SaveTargets = ReadonlyMap<string, string>;

/** Reads `NAME=file.npy`. Throws UsageError for what is no output that .npy holds. */
export function toSaveTargets(
  texts: readonly string[],
  signature: readonly TensorSignature[],
): SaveTargets {
  return new Map(texts.map((text) => toSaveTarget(text, signature)));
}

/** Rejects with UsageError for a file that cannot be written. */
export async function saveOutputs(answer: InferAnswer, targets: SaveTargets): Promise<void> {
  for (const [name, path] of targets) {
    const output = answer.outputs[name];
    if (!output) throw new Error(`the answer has no output '${name}'`);
    await writeFile(path, formatNpy(toTensor(output))).catch((error: unknown) => {
      throw new UsageError(`--save ${name}=${path}: ${(error as Error).message}`);
    });
  }
}

function toSaveTarget(text: string, signature: readonly TensorSignature[]): [string, string] {
  const [, name = '', path = ''] = /^([^=]*)=(.*\.npy)$/.exec(text) ?? [];
  const output = signature.find((each) => each.name === name);
  if (!output) {
    const names = signature.map((each) => each.name).join(', ');
    throw new UsageError(`--save takes NAME=file.npy with a NAME of ${names}, got '${text}'`);
  }
  if (output.datatype !== 'BYTES') return [name, path];
  throw new UsageError(`--save ${text}: .npy does not hold BYTES; use --json`);
}

type Value = number | bigint | Uint8Array;

function valuesOf(output: OutputTensor): Value[] {
  const isHalf = output.datatype === 'FP16' || output.datatype === 'BF16';
  const values = isHalf ? float32Values(output) : output.data;
  return Array.from(values as ArrayLike<Value>);
}

function toJsonValue(value: Value): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  return decodeUtf8(value) ?? { base64: Buffer.from(value).toString('base64') };
}

function firstValues(output: OutputTensor): string {
  const first = { ...output, data: output.data.slice(0, MOST_VALUES) };
  const values = valuesOf(first).map((value) => readable(value, output.datatype));
  return [...values, ...(output.data.length > MOST_VALUES ? ['…'] : [])].join(', ');
}

function readable(value: Value, datatype: Datatype): string {
  if (value instanceof Uint8Array) return decodeUtf8(value) ?? JSON.stringify(toJsonValue(value));
  const digits = DIGITS[datatype];
  if (digits === undefined || typeof value === 'bigint') return String(value);
  return String(Number(value.toPrecision(digits)));
}
