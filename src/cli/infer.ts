import type { InferAnswer, ModelDescription } from '../client/index.js';
import { toTensor } from '../client/tensors.js';
import { inputsMismatch } from '../registry/signature.js';
import {
  answerToJson,
  answerToText,
  saveOutputs,
  toSaveTargets,
  type SaveTargets,
} from './infer-output.js';
import { inputExample } from './input-example.js';
import { checkShapes, readInputs, type Inputs, type Shapes } from './input-options.js';
import {
  connectTarget,
  describeTarget,
  targetCredentials,
  targetParams,
  type TargetFlags,
} from './request-target.js';
import { UsageError } from './usage-error.js';

export interface InferFlags extends TargetFlags {
  input: string[];
  shape: Shapes;
  output: string[];
  save: string[];
  json?: boolean;
}

/** `warmswap infer`: one request, its outputs on standard output and in files. */
export async function runInfer(model: string, flags: InferFlags): Promise<void> {
  const client = await connectTarget(flags, await targetCredentials(flags));
  try {
    const description = await describeTarget(client, model, flags);
    checkShapes(flags.shape, description.inputs);
    const targets = toSaveTargets(flags.save, description.outputs);
    const outputs = wantedOutputs(flags.output, targets, description);
    const inputs = await readInputs(flags.input, flags.shape, description.inputs);
    refuseMismatch(inputs, description);
    const answer = await client.infer({
      ...targetParams(model, flags),
      ...(outputs === undefined ? {} : { outputs }),
      inputs,
    });
    await saveOutputs(answer, targets);
    print(answer, flags);
  } finally {
    await client.close();
  }
}

/** Throws UsageError, with an example of what would be right. */
function refuseMismatch(inputs: Inputs, { inputs: signature }: ModelDescription): void {
  const tensors = Object.entries(inputs).map(([name, input]) => [name, toTensor(input)] as const);
  const mismatch = inputsMismatch(Object.fromEntries(tensors), signature);
  if (mismatch === undefined) return;
  const examples = signature.map((input) => `--input ${inputExample(input)}`);
  throw new UsageError(`${mismatch}; for example ${examples.join(' ')}`);
}

/** Those that are named or saved; all if none is named. */
function wantedOutputs(
  named: readonly string[],
  targets: SaveTargets,
  { outputs }: ModelDescription,
): string[] | undefined {
  const unknown = named.find((name) => !outputs.some((output) => output.name === name));
  if (unknown !== undefined) {
    const names = outputs.map(({ name }) => name).join(', ');
    throw new UsageError(`--output takes a NAME of ${names}, got '${unknown}'`);
  }
  return named.length === 0 ? undefined : [...new Set([...named, ...targets.keys()])];
}

function print(answer: InferAnswer, { json }: InferFlags): void {
  console.log(json ? answerToJson(answer) : answerToText(answer));
}
