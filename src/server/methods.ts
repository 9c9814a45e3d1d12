import type { Grant } from '../access/grant.js';
import type { CancelSlot } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';
import type { InferParams, InferResult, ModelDescription, ModelListing } from '../rpc/methods.js';
import {
  parseDescribeParams,
  parseEventTypes,
  parseInferParams,
  parseNoParams,
} from '../rpc/params.js';
import { copyTensors } from '../rpc/tensor.js';
import { orderOf, type ServedModel } from '../registry/model-set.js';
import type { Registry } from '../registry/registry.js';
import type { Version } from '../registry/version.js';
import type { Subscriber, Subscriptions } from './subscriptions.js';
import { modelsFor, setFor } from './visible.js';

/** The methods of the RPC, over one worker's registry. */

/** The name that the Open Inference Protocol's servers give to ONNX models run by ONNX Runtime. */
export const PLATFORM = 'onnxruntime_onnx';

/**
 * Answers one request, at once or by a promise. The params may be views on the frame: a method copies
 * what it needs later before it first waits. Throws or rejects with coded errors.
 */
export type Method = (params: readonly unknown[], call: CallContext) => unknown;

/** What a method tells its connection, before it first waits: also what cancels the request. */
export interface CallContext extends CancelSlot {
  /** What the caller may use. */
  readonly grant: Grant;
  /** The connection that asks. */
  readonly subscriber: Subscriber;
  /**
   * A version answers this request. `target` is what the request asked for: the answers to it never
   * go back to an older version.
   */
  answeredBy(target: string, version: object): void;
}

export function createMethods(
  registry: Registry,
  subscriptions: Subscriptions,
): ReadonlyMap<string, Method> {
  return new Map<string, Method>([
    ['infer', (params, call) => infer(registry, params, call)],
    ['models', (params, { grant }) => listModels(registry, params, grant)],
    ['describe', (params, { grant }) => describe(registry, params, grant)],
    ['subscribe', (params, call) => subscribe(subscriptions, params, call)],
    ['unsubscribe', (params, call) => unsubscribe(subscriptions, params, call)],
    ['ping', ping],
  ]);
}

async function infer(
  registry: Registry,
  params: readonly unknown[],
  call: CallContext,
): Promise<InferResult> {
  return runInfer(registry, parseInferParams(params), call);
}

async function runInfer(
  registry: Registry,
  request: InferParams,
  call: CallContext,
): Promise<InferResult> {
  const { model, version, label } = request;
  const chosen = setFor(call.grant, registry.current, model).choose(model, version, label);
  if (chosen.isAway) return inferLater(registry, chosen, request, call);
  if (version === undefined) call.answeredBy(orderOf(model, label), chosen);
  const { outputs, timing } = await chosen.infer(request, call);
  return { model, version: chosen.number, outputs, timing };
}

/** Once a version that is away is replaced or back. */
async function inferLater(
  registry: Registry,
  away: Version,
  request: InferParams,
  call: CallContext,
): Promise<InferResult> {
  const arrived = performance.now();
  const inputs = copyTensors(request.inputs);
  const deadlineMs = request.deadlineMs ?? away.plan.options.deadlineMs;
  await registry.returned(away, deadlineMs, call);
  const left = deadlineMs === undefined ? {} : { deadlineMs: timeLeft(deadlineMs, arrived) };
  return runInfer(registry, { ...request, inputs, ...left }, call);
}

/** Of a request that came then; as little as possible if nothing is left. */
function timeLeft(deadlineMs: number, arrived: number): number {
  return Math.max(Number.MIN_VALUE, deadlineMs - (performance.now() - arrived));
}

function listModels(registry: Registry, params: readonly unknown[], grant: Grant): ModelListing[] {
  parseNoParams(params, 'models');
  return modelsFor(grant, registry.current).map(listModel);
}

function listModel(model: ServedModel): ModelListing {
  return {
    name: model.name,
    active: model.active.number,
    labels: Object.fromEntries([...model.labels].map(([label, { number }]) => [label, number])),
    versions: [...model.versions.values()].map(({ number, state }) => ({ version: number, state })),
  };
}

async function describe(
  registry: Registry,
  params: readonly unknown[],
  grant: Grant,
): Promise<ModelDescription> {
  const { model, version } = parseDescribeParams(params);
  const chosen = setFor(grant, registry.current, model).resolve(model, version);
  const { inputs, outputs } = chosen.signature;
  const { batching } = chosen.plan.options;
  return {
    name: model,
    version: chosen.number,
    state: chosen.state,
    platform: PLATFORM,
    inputs,
    outputs,
    batching: batching ? { maxBatch: batching.maxBatch } : null,
    artifact: describeArtifact(chosen),
    memory: await chosen.memory(),
  };
}

function describeArtifact({ plan }: Version): ModelDescription['artifact'] {
  if (!plan.artifact) return null;
  const { form, reason } = plan.artifact;
  return reason === undefined ? { form } : { form, reason };
}

function subscribe(
  subscriptions: Subscriptions,
  params: readonly unknown[],
  { subscriber }: CallContext,
): unknown {
  subscriptions.subscribe(subscriber, parseEventTypes(params, 'subscribe'));
  return {};
}

function unsubscribe(
  subscriptions: Subscriptions,
  params: readonly unknown[],
  { subscriber }: CallContext,
): unknown {
  subscriptions.unsubscribe(subscriber, parseEventTypes(params, 'unsubscribe'));
  return {};
}

function ping(params: readonly unknown[]): unknown {
  if (params.length <= 1) return params[0] ?? null;
  throw new WarmswapError('INVALID_ARGUMENT', `ping: expected one value, got ${params.length}`);
}
