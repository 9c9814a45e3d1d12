import type { Signature } from '../native/engine.js';
import { describeTensor, type Tensor, type TensorSignature } from '../rpc/tensor.js';

/**
 * What keeps `next` from answering the requests that `current` answers; nothing if it can. Names
 * and datatypes must be the same, every fixed dimension equal or now free.
 */
export function signatureChange(current: Signature, next: Signature): string | undefined {
  return (
    tensorsChange('input', current.inputs, next.inputs) ??
    tensorsChange('output', current.outputs, next.outputs)
  );
}

function tensorsChange(
  role: string,
  current: readonly TensorSignature[],
  next: readonly TensorSignature[],
): string | undefined {
  const nextByName = new Map(next.map((tensor) => [tensor.name, tensor]));
  for (const before of current) {
    const after = nextByName.get(before.name);
    if (!after) return `${role} '${before.name}' is gone`;
    if (!accepts(after, before)) {
      return `${role} '${before.name}' was ${describeTensor(before)} and is ${describeTensor(after)}`;
    }
    nextByName.delete(before.name);
  }
  const [added] = nextByName.keys();
  return added === undefined ? undefined : `${role} '${added}' is new`;
}

function accepts(after: TensorSignature, before: Omit<TensorSignature, 'name'>): boolean {
  return (
    after.datatype === before.datatype &&
    after.shape.length === before.shape.length &&
    after.shape.every((size, i) => size < 0 || size === before.shape[i])
  );
}

/** Why a model with these inputs cannot be asked that; nothing if it can. */
export function inputsMismatch(
  inputs: Readonly<Record<string, Tensor>>,
  expected: readonly TensorSignature[],
): string | undefined {
  const unknown = Object.keys(inputs).find((name) => !expected.some((each) => each.name === name));
  if (unknown !== undefined) {
    const names = expected.map(({ name }) => name).join(', ');
    return `there is no input '${unknown}'; the inputs are ${names}`;
  }
  for (const input of expected) {
    const got = Object.hasOwn(inputs, input.name) ? inputs[input.name] : undefined;
    if (got && accepts(input, got)) continue;
    const what = got ? describeTensor(got) : 'none';
    return `input '${input.name}': expected ${describeTensor(input)}, got ${what}`;
  }
  return undefined;
}
