import { WarmswapError } from '../rpc/errors.js';
import type { InferResult, ModelDescription, ModelListing } from '../rpc/methods.js';
import { parseDescribeParams, parseInferParams, parseNoParams } from '../rpc/params.js';
import type { ServedModel } from '../registry/model-set.js';
import type { Registry } from '../registry/registry.js';

/** The methods of the RPC, over one worker's registry. */

/** The name that the Open Inference Protocol's servers give to ONNX models run by ONNX Runtime. */
const PLATFORM = 'onnxruntime_onnx';

/**
 * Answers one request, at once or by a promise. The params may be views on the frame: a method copies
 * what it needs later before it first waits. A method that a version answers says so, before it first
 * waits, by `answeredBy`. Throws or rejects with coded errors.
 */
export type Method = (params: readonly unknown[], answeredBy: AnsweredBy) => unknown;

/** `target` is what the request asked for: the answers to it never go back to an older version. */
export type AnsweredBy = (target: string, version: object) => void;

export function createMethods(registry: Registry): ReadonlyMap<string, Method> {
  return new Map<string, Method>([
    ['infer', (params, answeredBy) => infer(registry, params, answeredBy)],
    ['models', (params) => listModels(registry, params)],
    ['describe', (params) => describe(registry, params)],
    ['ping', ping],
  ]);
}

async function infer(
  registry: Registry,
  params: readonly unknown[],
  answeredBy: AnsweredBy,
): Promise<InferResult> {
  const { model, version, label, ...request } = parseInferParams(params);
  const chosen = registry.current.resolve(model, version, label);
  if (version === undefined) answeredBy(label === undefined ? model : `${model}@${label}`, chosen);
  const { outputs, timing } = await chosen.infer(request);
  return { model, version: chosen.number, outputs, timing };
}

function listModels(registry: Registry, params: readonly unknown[]): ModelListing[] {
  parseNoParams(params, 'models');
  return [...registry.current.models.values()].map(listModel);
}

function listModel(model: ServedModel): ModelListing {
  return {
    name: model.name,
    active: model.active.number,
    labels: Object.fromEntries([...model.labels].map(([label, { number }]) => [label, number])),
    versions: [...model.versions.values()].map(({ number, state }) => ({ version: number, state })),
  };
}

function describe(registry: Registry, params: readonly unknown[]): ModelDescription {
  const { model, version } = parseDescribeParams(params);
  const chosen = registry.current.resolve(model, version);
  const { inputs, outputs } = chosen.signature;
  return {
    name: model,
    version: chosen.number,
    state: chosen.state,
    platform: PLATFORM,
    inputs,
    outputs,
    batching: null,
  };
}

function ping(params: readonly unknown[]): unknown {
  if (params.length <= 1) return params[0] ?? null;
  throw new WarmswapError('INVALID_ARGUMENT', `ping: expected one value, got ${params.length}`);
}
