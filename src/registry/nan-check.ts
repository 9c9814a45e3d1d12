import { hasNaN } from './compare-tensors.js';
import type { Tensors } from './json-files.js';
import { inputsMismatch } from './signature.js';
import type { Version } from './version.js';

/**
 * Which output has NaN where the active version's answer to the same request has none; nothing if
 * that is so for no output, or if the active version cannot tell. It is asked only if there is NaN.
 */
export async function nanProblem(
  { what, inputs }: { what: string; inputs: Tensors },
  outputs: Tensors,
  active: Version | undefined,
): Promise<string | undefined> {
  const suspects = Object.keys(outputs).filter((name) => hasNaN(outputs[name] as Tensors[string]));
  if (!active || suspects.length === 0) return undefined;
  const before = await answerOf(active, inputs);
  const name = suspects.find((suspect) => {
    const tensor = before?.[suspect];
    return tensor && !hasNaN(tensor);
  });
  if (name === undefined) return undefined;
  return `output '${name}' has NaN in the answer to ${what} where version ${active.number}, the active one, has none`;
}

async function answerOf(active: Version, inputs: Tensors): Promise<Tensors | undefined> {
  try {
    if (inputsMismatch(inputs, active.signature.inputs) !== undefined) return undefined;
    const priority = active.plan.options.priorities - 1;
    return (await active.rehearse({ inputs, priority })).outputs;
  } catch {
    return undefined;
  }
}
