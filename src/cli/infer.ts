import { connect, type InferAnswer, type ModelDescription } from '../client/index.js';
import {
  answerToJson,
  answerToText,
  saveOutputs,
  toSaveTargets,
  type SaveTargets,
} from './infer-output.js';
import { checkShapes, readInputs, type Shapes } from './input-options.js';
import { describeTarget, targetParams, type TargetFlags } from './request-target.js';
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
  const client = await connect(flags.url);
  try {
    const description = await describeTarget(client, model, flags);
    checkShapes(flags.shape, description.inputs);
    const targets = toSaveTargets(flags.save, description.outputs);
    const outputs = wantedOutputs(flags.output, targets, description);
    const answer = await client.infer({
      ...targetParams(model, flags),
      ...(outputs === undefined ? {} : { outputs }),
      inputs: await readInputs(flags.input, flags.shape, description.inputs),
    });
    await saveOutputs(answer, targets);
    print(answer, flags);
  } finally {
    await client.close();
  }
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
