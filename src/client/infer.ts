import { WarmswapError } from '../rpc/errors.js';
import { kindOf } from '../rpc/kind-of.js';
import type { InferResult, InferTiming } from '../rpc/methods.js';
import type { Tensor } from '../rpc/tensor.js';
import { keysOf } from './known-keys.js';
import type { CallOptions } from './options.js';
import { fromTensor, toTensor, type InputTensor, type OutputTensor } from './tensors.js';

/** An `infer` call and its answer, with typed arrays in place of tensors. */

export interface InferCall extends CallOptions {
  model: string;
  /** At most one of `version` and `label`; neither means the active version. */
  version?: number;
  label?: string;
  inputs: Readonly<Record<string, InputTensor>>;
  /** Names of the outputs wanted; all if left out. */
  outputs?: readonly string[];
  /** 0 is the most urgent; the middle of the model's priorities if left out. */
  priority?: number;
  /** Calls with the same one get the same version, where there are several to choose from. */
  key?: string;
}

/** Of an InferCall. */
export const INFER_KEYS = keysOf<InferCall>({
  ...{ model: true, version: true, label: true, inputs: true, outputs: true, priority: true },
  key: true,
  ...{ deadlineMs: true, signal: true, idempotent: true, hedgeAfterMs: true },
});

export interface InferAnswer {
  model: string;
  /** The version that answered. */
  version: number;
  outputs: Record<string, OutputTensor>;
  timing: InferTiming;
}

/** The params on the wire. Throws INVALID_ARGUMENT for an input that is no tensor. */
export function toInferParams(call: InferCall): Record<string, unknown> {
  const { model, version, label, outputs, priority, key } = call;
  const inputs = toTensors(call.inputs);
  const params = Object.entries({ model, version, label, inputs, outputs, priority, key });
  return Object.fromEntries(params.filter(([, value]) => value !== undefined));
}

function toTensors(inputs: unknown): Record<string, Tensor> {
  if (!isMap(inputs)) throw wrongInput("'inputs'", 'a map of tensors', inputs);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, toNamedTensor(name, input)]),
  );
}

function toNamedTensor(name: string, input: unknown): Tensor {
  if (!isMap(input) || !('shape' in input && 'data' in input)) {
    throw wrongInput(`input '${name}'`, '{shape, data}', input);
  }
  try {
    return toTensor(input as unknown as InputTensor);
  } catch (error) {
    const { message } = error as Error;
    throw new WarmswapError('INVALID_ARGUMENT', `input '${name}': ${message}`, { cause: error });
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function wrongInput(what: string, expected: string, got: unknown): WarmswapError {
  const came = isMap(got) ? `{${Object.keys(got).slice(0, 8).join(', ')}}` : kindOf(got);
  return new WarmswapError('INVALID_ARGUMENT', `${what}: expected ${expected}, got ${came}`);
}

/** Throws INTERNAL for a result that is none of `infer`. */
export function toInferAnswer(result: unknown): InferAnswer {
  try {
    const { model, version, outputs, timing } = result as InferResult;
    return { model, version, outputs: mapValues(outputs, fromTensor), timing };
  } catch (error) {
    const message = `the server's answer is no result of infer: ${(error as Error).message}`;
    throw new WarmswapError('INTERNAL', message, { cause: error });
  }
}

function mapValues<V, W>(
  values: Readonly<Record<string, V>>,
  change: (value: V) => W,
): Record<string, W> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
