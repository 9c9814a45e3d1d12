import { z } from 'zod';
import type { Signature } from '../native/engine.js';
import { ROUNDING, type Tolerance } from './compare-tensors.js';
import { readJsonFiles, refusal, tensorsSchema, toTensors, type Tensors } from './json-files.js';
import { inputsMismatch } from './signature.js';

/** What a version must answer to what, as its publisher says: a golden vector, as JSON. */

export interface GoldenVector {
  path: string;
  inputs: Tensors;
  /** At least one; those that are left out may be anything. */
  outputs: Tensors;
  tolerance: Tolerance;
}

const bound = z.number().min(0);

const goldenSchema = z.strictObject({
  inputs: tensorsSchema,
  outputs: tensorsSchema.refine((outputs) => Object.keys(outputs).length > 0, 'expected an output'),
  tolerance: z
    .strictObject({
      relative: bound.default(ROUNDING.relative),
      absolute: bound.default(ROUNDING.absolute),
    })
    .prefault({}),
});

/**
 * Reads the golden vectors of a model with this signature, within the bounds of readJsonFiles.
 * Rejects with FAILED_PRECONDITION, naming the file, what was expected and what came.
 */
export async function readGoldenFiles(
  paths: readonly string[],
  signature: Signature,
): Promise<readonly GoldenVector[]> {
  const files = await readJsonFiles(paths, goldenSchema);
  return files.map(({ path, document }) => {
    const inputs = toTensors(document.inputs, 'input', path);
    const outputs = toTensors(document.outputs, 'output', path);
    const mismatch =
      inputsMismatch(inputs, signature.inputs) ?? unknownOutput(outputs, signature.outputs);
    if (mismatch !== undefined) throw refusal(path, mismatch);
    return { path, inputs, outputs, tolerance: document.tolerance };
  });
}

function unknownOutput(outputs: Tensors, known: Signature['outputs']): string | undefined {
  const names = known.map(({ name }) => name);
  const unknown = Object.keys(outputs).find((name) => !names.includes(name));
  if (unknown === undefined) return undefined;
  return `there is no output '${unknown}'; the outputs are ${names.join(', ')}`;
}
