import type { ModelConfig } from '../config/schema.js';
import type { GenerationPlan, ModelPlan, VersionFailure, VersionPlan } from '../registry/plan.js';
import type { RepositoryModel, RepositorySnapshot, RepositoryVersion } from '../repository/scan.js';
import { withPrevious, type RollbackPolicy } from './rollback.js';

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
  /**
   * Versions that were refused in this reload: they are not tried again, but for those that may
   * serve, which are not made active again.
   */
  failures: readonly VersionFailure[];
  rollback: RollbackPolicy;
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
    const plan =
      typeof planned === 'string'
        ? kept
        : withPrevious(planned, kept, input.rollback, input.failures);
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
  const refused = input.failures.filter((failed) => failed.model === name);
  const planned = model.versions.map((version) => planVersion(version, config));
  const usable = without(
    planned,
    refused.filter(({ isServable }) => !isServable),
  );
  const wanted = chosenByPolicy(config.versions, usable);
  const activation = stillHolding(input.activations.get(name), usable);
  const asked = activation?.version ?? config.active ?? wanted.at(-1)?.version;
  const isWithheld = refused.some(({ version, isServable }) => isServable && version === asked);
  const active = isWithheld ? substitute(name, config, without(usable, refused), input) : asked;
  if (active === undefined) return 'no version can be served';
  const versions = withVersions(wanted, [active, ...Object.values(config.labels)], usable);
  if (typeof versions === 'string') return versions;
  const chosen = wanted.map(({ version }) => version);
  const plan: ModelPlan = { name, active, labels: config.labels, versions, chosen };
  return activation?.allowSignatureChange ? { ...plan, allowSignatureChange: true } : plan;
}

function without(
  versions: readonly VersionPlan[],
  refused: readonly VersionFailure[],
): readonly VersionPlan[] {
  return versions.filter(({ key }) => !refused.some((failed) => failed.key === key));
}

/** What is active instead of a version that must not be: what is now, else the newest of the others. */
function substitute(
  name: string,
  { versions }: ModelConfig,
  eligible: readonly VersionPlan[],
  { committed }: PlanInput,
): number | undefined {
  const active = committed.models.find((model) => model.name === name)?.active;
  const isThere = eligible.some(({ version }) => version === active);
  return isThere ? active : chosenByPolicy(versions, eligible).at(-1)?.version;
}

function stillHolding(
  activation: Activation | undefined,
  usable: readonly VersionPlan[],
): Activation | undefined {
  const newest = usable.at(-1)?.version ?? 0;
  return activation && newest <= activation.newestKnown ? activation : undefined;
}

function planVersion(
  { version, modelPath, fingerprint, warmupFiles, goldenFiles }: RepositoryVersion,
  config: ModelConfig,
): VersionPlan {
  const { queue, warmup, batching, instances } = config;
  const options = {
    queueCapacity: queue.maxSize,
    ...(queue.deadline === undefined ? {} : { deadlineMs: queue.deadline }),
    priorities: queue.priorities,
    instances,
    ...(batching && {
      batching: { maxBatch: batching.maxBatch, maxDelayMs: batching.maxDelay },
    }),
    warmup: planWarmUp(warmup),
  };
  const sha256 = config.sha256[version];
  // Without the files of requests: what is served is the same, and they are read at its next load.
  const key = [version, fingerprint, JSON.stringify(options), ...(sha256 ? [sha256] : [])].join(
    ':',
  );
  return {
    ...{ version, modelPath, fingerprint, key, options },
    ...(warmupFiles.length > 0 ? { warmupFiles } : {}),
    ...(goldenFiles.length > 0 ? { goldenFiles } : {}),
    ...(sha256 ? { sha256 } : {}),
  };
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
