import { readFile } from 'node:fs/promises';
import {
  connect,
  type ClientOptions,
  type InferAnswer,
  type InputTensor,
  type TensorSignature,
} from '../client/index.js';
import { bytesToInput, jsonToInput } from './infer-input.js';
import { UsageError } from './usage-error.js';

const TOKEN_VARIABLE = 'WARMSWAP_TOKEN';

export interface InferFlags {
  input: string[];
  url: string;
  token?: string;
  /** A file of certificates. */
  ca?: string;
  version?: number;
  label?: string;
  priority?: number;
  /** Milliseconds. */
  deadline?: number;
  json?: boolean;
}

/** `warmswap infer`: one request, its outputs on standard output. */
export async function runInfer(model: string, flags: InferFlags): Promise<void> {
  const client = await connect(flags.url, await credentials(flags));
  try {
    const { version, label, priority, deadline } = flags;
    const { inputs: signature } = await client.describe(model, version);
    const given = await Promise.all(flags.input.map((text) => readInput(text, signature)));
    const answer = await client.infer({
      model,
      ...(version === undefined ? {} : { version }),
      ...(label === undefined ? {} : { label }),
      ...(priority === undefined ? {} : { priority }),
      ...(deadline === undefined ? {} : { deadlineMs: deadline }),
      inputs: Object.fromEntries(given),
    });
    console.log(flags.json ? toJson(answer) : toText(answer));
  } finally {
    await client.close();
  }
}

/** The token of the environment is not seen by other users of the host, as one on the command line is. */
async function credentials({ token, ca }: InferFlags): Promise<ClientOptions> {
  const chosen = token ?? process.env[TOKEN_VARIABLE];
  return {
    ...(chosen !== undefined && { token: chosen }),
    ...(ca !== undefined && { ca: await readFile(ca, 'utf8') }),
  };
}

async function readInput(
  text: string,
  signature: readonly TensorSignature[],
): Promise<[string, InputTensor]> {
  const [name = '', ...rest] = text.split('=');
  const value = rest.join('=');
  const tensor = signature.find((input) => input.name === name);
  if (!tensor || value === '') {
    const names = signature.map((input) => input.name).join(', ');
    throw new UsageError(`--input takes NAME=VALUE with a NAME of ${names}, got '${text}'`);
  }
  if (!value.startsWith('@')) return [name, jsonToInput(value, tensor)];
  const file = value.slice(1);
  if (file.endsWith('.json')) return [name, jsonToInput(await readFile(file, 'utf8'), tensor)];
  return [name, bytesToInput(await readFile(file), tensor)];
}

function toJson(answer: InferAnswer): string {
  const outputs = Object.entries(answer.outputs).map(([name, { datatype, shape, data }]) => [
    name,
    { datatype, shape, data: Array.from(data as ArrayLike<unknown>, printable) },
  ]);
  return JSON.stringify({ ...answer, outputs: Object.fromEntries(outputs) as unknown });
}

const MOST_VALUES = 16;

function toText({ model, version, outputs, timing }: InferAnswer): string {
  const lines = Object.entries(outputs).map(([name, { datatype, shape, data }]) => {
    const values = Array.from(data as ArrayLike<unknown>)
      .slice(0, MOST_VALUES)
      .map(printable);
    const more = data.length > MOST_VALUES ? ', …' : '';
    return `  ${name}  ${datatype} [${shape.join(', ')}]  ${values.join(', ')}${more}`;
  });
  const time = `queued ${timing.queueUs.toFixed(0)} µs, ran ${timing.computeUs.toFixed(0)} µs`;
  return [`${model} version ${version} (${time})`, ...lines].join('\n');
}

/** Integers beyond a number's precision and bytes as text. */
function printable(value: unknown): string | number {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : (value as number);
}
