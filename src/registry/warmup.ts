import { DATATYPES, describeTensor, type Tensor, type TensorSignature } from '../rpc/tensor.js';
import type { Version } from './version.js';

/**
 * Runs a version before it serves, so that no client meets a first, slow run. Inputs are zeros of
 * the signature; a free dimension is 1 unless model.yaml's `warmup.shapes` gives the input's shape.
 * Gives the run's error and the remedy if the model does not take them.
 */
export async function warmUp(version: Version): Promise<string | undefined> {
  const { runs, shapes } = version.plan.options.warmup;
  const inputs = generateInputs(version.signature.inputs, shapes);
  try {
    for (let run = 0; run < runs; run++) await version.infer({ inputs });
    return undefined;
  } catch (error) {
    return describeProblem(error as Error, inputs);
  }
}

export function generateInputs(
  signature: readonly TensorSignature[],
  shapes: Readonly<Record<string, readonly number[]>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    signature.map((input) => {
      const given = Object.hasOwn(shapes, input.name) ? shapes[input.name] : undefined;
      return [input.name, zeros(input, given)];
    }),
  );
}

function zeros(input: TensorSignature, given: readonly number[] | undefined): Tensor {
  const shape = given ?? input.shape.map((size) => (size < 0 ? 1 : size));
  const count = shape.reduce((product, size) => product * size, 1);
  const data =
    input.datatype === 'BYTES'
      ? new Array<string>(count).fill('')
      : new Uint8Array(count * DATATYPES[input.datatype]);
  return { datatype: input.datatype, shape, data };
}

function describeProblem(error: Error, inputs: Readonly<Record<string, Tensor>>): string {
  const used = Object.entries(inputs).map(([name, tensor]) => `${name} ${describeTensor(tensor)}`);
  return (
    `warm-up failed with zeros for ${used.join(', ')}: ${error.message}. If the model needs other ` +
    'shapes, set warmup.shapes in model.yaml; warmup.runs: 0 turns the warm-up off'
  );
}
