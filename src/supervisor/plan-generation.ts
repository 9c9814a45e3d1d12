import type { ModelConfig } from '../config/schema.js';
import type { GenerationPlan, ModelPlan, VersionFailure, VersionPlan } from '../registry/plan.js';
import type { RepositoryModel, RepositorySnapshot, RepositoryVersion } from '../repository/scan.js';
import { intraOpThreads, type ThreadBudget } from './thread-budget.js';

/**
 * An operator's choice of a version. Holds until a newer version than all known then is published
 * and can be served.
 */
export interface Activation {
  version: number;
  newestKnown: number;
  allowSignatureChange: boolean;
}

/** Why a model's configuration or folder cannot be followed; it is served as before. */
export interface PlanProblem {
  model: string;
  reason: string;
}

export interface PlanInput {
  snapshot: RepositorySnapshot;
  committed: GenerationPlan;
  activations: ReadonlyMap<string, Activation>;
  /** Versions that failed in this reload: they are not tried again. */
  failures: readonly VersionFailure[];
  threads: ThreadBudget;
}

export interface PlannedGeneration {
  plan: GenerationPlan;
  problems: readonly PlanProblem[];
}

/** What the next generation should serve, as a pure function of what is there. */
export function planGeneration(input: PlanInput): PlannedGeneration {
  const models: ModelPlan[] = [];
  const problems: PlanProblem[] = [];
  for (const model of input.snapshot.models.values()) {
    const planned = planModel(model, input);
    if (typeof planned === 'string') problems.push({ model: model.name, reason: planned });
    const kept = input.committed.models.find(({ name }) => name === model.name);
    const plan = typeof planned === 'string' ? kept : planned;
    if (plan) models.push(plan);
  }
  return { plan: { generation: input.committed.generation + 1, models }, problems };
}

/** Whether two generations serve the same, whatever their numbers. */
export function servesTheSame(a: GenerationPlan, b: GenerationPlan): boolean {
  return JSON.stringify(a.models.map(served)) === JSON.stringify(b.models.map(served));
}

/** Whether two plans of one model serve the same. */
export function modelServesTheSame(a: ModelPlan | undefined, b: ModelPlan | undefined): boolean {
  return JSON.stringify(a && served(a)) === JSON.stringify(b && served(b));
}

function served({ name, active, labels, versions }: ModelPlan): unknown {
  return [name, active, Object.entries(labels).sort(), versions.map(({ key }) => key)];
}

/** The plan, or why there is none. */
function planModel(model: RepositoryModel, input: PlanInput): ModelPlan | string {
  const { config, name } = model;
  if ('problem' in config) return config.problem;
  const usable = model.versions
    .map((version) => planVersion(version, config, input.threads))
    .filter(
      ({ key }) => !input.failures.some((failed) => failed.model === name && failed.key === key),
    );
  const wanted = chosenByPolicy(config.versions, usable);
  const activation = stillHolding(input.activations.get(name), usable);
  const active = activation?.version ?? config.active ?? wanted.at(-1)?.version;
  if (active === undefined) return 'no version can be served';
  const versions = withVersions(wanted, [active, ...Object.values(config.labels)], usable);
  if (typeof versions === 'string') return versions;
  const plan: ModelPlan = { name, active, labels: config.labels, versions };
  return activation?.allowSignatureChange ? { ...plan, allowSignatureChange: true } : plan;
}

function stillHolding(
  activation: Activation | undefined,
  usable: readonly VersionPlan[],
): Activation | undefined {
  const newest = usable.at(-1)?.version ?? 0;
  return activation && newest <= activation.newestKnown ? activation : undefined;
}

function planVersion(
  { version, modelPath, fingerprint, warmupFiles }: RepositoryVersion,
  config: ModelConfig,
  budget: ThreadBudget,
): VersionPlan {
  const { queue, warmup, batching, instances, execution, threads } = config;
  const options = {
    queueCapacity: queue.maxSize,
    ...(queue.deadline === undefined ? {} : { deadlineMs: queue.deadline }),
    priorities: queue.priorities,
    execution,
    instances,
    threads: { intraOp: intraOpThreads(config, budget), spinning: threads.spinning },
    ...(batching && {
      batching: { maxBatch: batching.maxBatch, maxDelayMs: batching.maxDelay },
    }),
    warmup: planWarmUp(warmup),
  };
  // Without the warm-up files: what is served is the same, and they are read at its next load.
  const key = `${version}:${fingerprint}:${JSON.stringify(options)}`;
  const files = warmupFiles.length > 0 ? { warmupFiles } : {};
  return { version, modelPath, fingerprint, ...files, key, options };
}

function planWarmUp({ runs, shapes, batchSizes, maxDuration }: ModelConfig['warmup']) {
  return { runs, shapes, ...(batchSizes && { batchSizes }), maxDurationMs: maxDuration };
}

function chosenByPolicy(
  policy: ModelConfig['versions'],
  usable: readonly VersionPlan[],
): readonly VersionPlan[] {
  if (policy === 'all') return usable;
  if (policy === 'latest') return usable.slice(-1);
  if (Array.isArray(policy)) return usable.filter(({ version }) => policy.includes(version));
  return usable.slice(-policy.latest);
}

/** `chosen` and the versions with these numbers, ascending; or which of them cannot be used. */
function withVersions(
  chosen: readonly VersionPlan[],
  numbers: readonly number[],
  usable: readonly VersionPlan[],
): readonly VersionPlan[] | string {
  const missing = numbers.find((number) => !usable.some(({ version }) => version === number));
  if (missing !== undefined) return `version ${missing} is wanted, but missing or failed`;
  return usable.filter((plan) => chosen.includes(plan) || numbers.includes(plan.version));
}
