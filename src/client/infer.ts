import { WarmswapError } from '../rpc/errors.js';
import type { InferResult, InferTiming } from '../rpc/methods.js';
import type { Tensor } from '../rpc/tensor.js';
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
}

export interface InferAnswer {
  model: string;
  /** The version that answered. */
  version: number;
  outputs: Record<string, OutputTensor>;
  timing: InferTiming;
}

/** The params on the wire. Throws INVALID_ARGUMENT for an input that is no tensor. */
export function toInferParams(call: InferCall): Record<string, unknown> {
  const { model, version, label, outputs, priority } = call;
  const inputs = toTensors(call.inputs);
  const params = Object.entries({ model, version, label, inputs, outputs, priority });
  return Object.fromEntries(params.filter(([, value]) => value !== undefined));
}

function toTensors(inputs: InferCall['inputs']): Record<string, Tensor> {
  try {
    return mapValues(inputs, toTensor);
  } catch (error) {
    if (error instanceof WarmswapError) throw error;
    const message = `inputs: expected a map of names to tensors: ${(error as Error).message}`;
    throw new WarmswapError('INVALID_ARGUMENT', message, { cause: error });
  }
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
