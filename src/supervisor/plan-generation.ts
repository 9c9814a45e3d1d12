import type { ModelConfig } from '../config/schema.js';
import type {
  Activation,
  BreakerPlan,
  GenerationPlan,
  ModelPlan,
  OperatorChoices,
  VersionFailure,
  VersionPlan,
} from '../registry/plan.js';
import type { RepositoryModel, RepositorySnapshot, RepositoryVersion } from '../repository/scan.js';
import { instancesOf, placeModel, type HostDevices, type Placement } from './model-placement.js';
import { choicesOf, effectiveLabels, type Choices } from './operator-choices.js';
import { withPrevious, type RollbackPolicy } from './rollback.js';
import { intraOpThreads, type ThreadBudget } from './thread-budget.js';

/** Why a model's configuration or folder cannot be followed; it is served as before. */
export interface PlanProblem {
  model: string;
  reason: string;
}

export interface PlanInput {
  snapshot: RepositorySnapshot;
  committed: GenerationPlan;
  choices: Choices;
  /**
   * Versions that were refused in this reload: they are not tried again, but for those that may
   * serve, which are not made active again.
   */
  failures: readonly VersionFailure[];
  threads: ThreadBudget;
  host: HostDevices;
  rollback: RollbackPolicy;
  /** What the daemon before served when it was stopped, until something else is committed. */
  stopped: readonly ModelPlan[];
}

export interface PlannedGeneration {
  plan: GenerationPlan;
  problems: readonly PlanProblem[];
}

/** What the next generation should serve, as a pure function of what is there. */
export function planGeneration(input: PlanInput): PlannedGeneration {
  const models: ModelPlan[] = [];
  const problems: PlanProblem[] = [];
  const choices: Record<string, OperatorChoices> = {};
  for (const model of input.snapshot.models.values()) {
    const { name } = model;
    const planned = planOrKeep(model, input);
    if (planned.problem !== undefined) problems.push({ model: name, reason: planned.problem });
    if (planned.plan) models.push(planned.plan);
    choices[name] = planned.choices;
  }
  return { plan: generationAfter(input.committed, models, choices), problems };
}

/**
 * The next generation where one model alone follows what was chosen for it: whatever else was
 * published, of that model too, waits until the repository is followed.
 */
export function planModelChange(model: RepositoryModel, input: PlanInput): PlannedGeneration {
  const { name } = model;
  const { committed } = input;
  const planned = planOrKeep(asCommitted(model, committed), input);
  const models = committed.models
    .filter((each) => each.name !== name)
    .concat(planned.plan ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems = planned.problem === undefined ? [] : [{ model: name, reason: planned.problem }];
  const choices = { ...committed.choices, [name]: planned.choices };
  return { plan: generationAfter(committed, models, choices), problems };
}

/** The model with the versions loaded and active that are, whatever model.yaml asks for. */
function asCommitted(model: RepositoryModel, { models }: GenerationPlan): RepositoryModel {
  const { config, name } = model;
  const plan = models.find((each) => each.name === name);
  if (!plan || 'problem' in config) return model;
  const versions = [...(plan.chosen ?? numbers(plan.versions))];
  return { ...model, config: { ...config, active: plan.active, versions } };
}

function generationAfter(
  { generation }: GenerationPlan,
  models: readonly ModelPlan[],
  choices: Choices,
): GenerationPlan {
  const made = Object.entries(choices).filter(([, choice]) => Object.keys(choice).length > 0);
  return {
    generation: generation + 1,
    models,
    ...(made.length > 0 ? { choices: Object.fromEntries(made) } : {}),
  };
}

interface PlannedModel {
  /** Nothing if the model is not served. */
  plan: ModelPlan | undefined;
  /** Those that are followed. */
  choices: OperatorChoices;
  problem?: string;
}

const NOTHING_KEPT: RollbackPolicy = { keepsReplaced: false, open: new Set() };

/** A model that cannot be followed is kept as it is, with what was chosen for it before. */
function planOrKeep(model: RepositoryModel, input: PlanInput): PlannedModel {
  const { name } = model;
  const choices = choicesOf(input.choices, name);
  if (choices.isUnloaded) return { plan: undefined, choices };
  const kept = input.committed.models.find((each) => each.name === name);
  const planned = planModel(model, choices, input);
  if (typeof planned === 'string') {
    return { plan: kept, choices: choicesOf(input.committed.choices, name), problem: planned };
  }
  const mayStay = ({ version, key }: VersionPlan) =>
    !planned.choices.unloaded?.includes(version) &&
    !input.failures.some((failed) => failed.model === name && failed.key === key);
  if (kept) return { ...planned, plan: withPrevious(planned.plan, kept, input.rollback, mayStay) };
  const stopped = input.stopped.find((each) => each.name === name);
  return { ...planned, plan: withPrevious(planned.plan, stopped, NOTHING_KEPT) };
}

/** Whether two generations serve the same, whatever their numbers. */
export function servesTheSame(a: GenerationPlan, b: GenerationPlan): boolean {
  return JSON.stringify(a.models.map(served)) === JSON.stringify(b.models.map(served));
}

/** Whether two plans of one model serve the same. */
export function modelServesTheSame(a: ModelPlan | undefined, b: ModelPlan | undefined): boolean {
  return JSON.stringify(a && served(a)) === JSON.stringify(b && served(b));
}

/** Whether versions go and others come. */
export function replacesVersions(before: GenerationPlan, after: GenerationPlan): boolean {
  const [old, next] = [loadedKeys(before), loadedKeys(after)];
  const hasOthers = (these: ReadonlySet<string>, those: ReadonlySet<string>) =>
    [...these].some((key) => !those.has(key));
  return hasOthers(old, next) && hasOthers(next, old);
}

function loadedKeys({ models }: GenerationPlan): ReadonlySet<string> {
  return new Set(
    models.flatMap(({ name, versions }) => versions.map(({ key }) => `${name} ${key}`)),
  );
}

function served({ name, active, labels, versions }: ModelPlan): unknown {
  return [name, active, Object.entries(labels).sort(), versions.map(({ key }) => key)];
}

/** The plan and the choices that it follows, or why there is none. */
function planModel(
  model: RepositoryModel,
  choices: OperatorChoices,
  input: PlanInput,
): { plan: ModelPlan; choices: OperatorChoices } | string {
  const { config, name } = model;
  if ('problem' in config) return config.problem;
  const placement = placeModel(config, input.host);
  if (typeof placement === 'string') return placement;
  const usable = usableVersions(model, config, placement, input);
  const chosen = chosenVersions(config.versions, usable, choices);
  const activation = stillHolding(choices.activation, usable);
  const asked = activation?.version ?? config.active ?? chosen.at(-1)?.version;
  const active = permitted(asked, chosen, usable, name, input);
  if (active === undefined) return 'no version can be served';
  const { labels, held } = effectiveLabels(config.labels, choices.labels);
  const wanted = [active, ...Object.values(labels), ...fallbackVersion(config)];
  const versions = withVersions(chosen, wanted, usable);
  if (typeof versions === 'string') return versions;
  const allowed = activation?.allowSignatureChange ? { allowSignatureChange: true } : {};
  const plan = { name, active, labels, versions, chosen: numbers(chosen), ...allowed };
  return { plan, choices: followed(choices, plan, held, model) };
}

function usableVersions(
  { name, versions }: RepositoryModel,
  config: ModelConfig,
  placement: Placement,
  { failures, threads }: PlanInput,
): readonly VersionPlan[] {
  const failed = failures.filter(({ model, isServable }) => model === name && !isServable);
  return versions
    .map((version) => planVersion(version, config, placement, threads))
    .filter(({ key }) => !failed.some((each) => each.key === key));
}

/** What is loaded whatever is active: by model.yaml and by hand. */
function chosenVersions(
  policy: ModelConfig['versions'],
  usable: readonly VersionPlan[],
  { loaded = [], unloaded = [] }: OperatorChoices,
): readonly VersionPlan[] {
  const wanted = chosenByPolicy(
    policy,
    usable.filter(({ version }) => !unloaded.includes(version)),
  );
  return usable.filter((plan) => wanted.includes(plan) || loaded.includes(plan.version));
}

/** The version that was asked for; one that must not be active gives way to the one that is now. */
function permitted(
  asked: number | undefined,
  chosen: readonly VersionPlan[],
  usable: readonly VersionPlan[],
  name: string,
  { committed, failures }: PlanInput,
): number | undefined {
  const isWithheld = ({ version }: VersionPlan) =>
    failures.some((each) => each.isServable && each.model === name && each.version === version);
  const wanted = usable.find(({ version }) => version === asked);
  if (!wanted || !isWithheld(wanted)) return asked;
  const active = committed.models.find((model) => model.name === name)?.active;
  const eligible = usable.filter((plan) => !isWithheld(plan));
  if (eligible.some(({ version }) => version === active)) return active;
  return eligible.filter((plan) => chosen.includes(plan)).at(-1)?.version;
}

/** Without what no longer means anything, so that it takes no room. */
function followed(
  { activation, loaded = [], unloaded = [] }: OperatorChoices,
  { active, labels, versions }: ModelPlan,
  held: NonNullable<OperatorChoices['labels']>,
  model: RepositoryModel,
): OperatorChoices {
  const used = new Set([active, ...Object.values(labels)]);
  const stillLoaded = loaded.filter((number) => numbers(versions).includes(number));
  const stillUnloaded = unloaded.filter(
    (number) => !used.has(number) && model.versions.some(({ version }) => version === number),
  );
  return {
    ...(activation?.version === active ? { activation } : {}),
    ...(Object.keys(held).length > 0 ? { labels: held } : {}),
    ...(stillLoaded.length > 0 ? { loaded: stillLoaded } : {}),
    ...(stillUnloaded.length > 0 ? { unloaded: stillUnloaded } : {}),
  };
}

function numbers(versions: readonly VersionPlan[]): number[] {
  return versions.map(({ version }) => version);
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
  placement: Placement,
  budget: ThreadBudget,
): VersionPlan {
  const { queue, warmup, batching, execution, threads } = config;
  const instances = instancesOf(config, placement);
  const options = {
    queueCapacity: queue.maxSize,
    ...(queue.deadline === undefined ? {} : { deadlineMs: queue.deadline }),
    priorities: queue.priorities,
    execution,
    instances,
    ...placement,
    threads: {
      intraOp: intraOpThreads({ threads, instances }, budget),
      spinning: threads.spinning,
    },
    ...(batching && {
      batching: { maxBatch: batching.maxBatch, maxDelayMs: batching.maxDelay },
    }),
    quickStart: config.quickStart,
    ...(config.breaker && { breaker: planBreaker(config.breaker) }),
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

function planBreaker({
  errorRatio,
  minRequests,
  window: windowMs,
  cooldown: cooldownMs,
  fallback,
}: NonNullable<ModelConfig['breaker']>): BreakerPlan {
  const limits = { errorRatio, minRequests, windowMs, cooldownMs };
  return fallback === undefined ? limits : { ...limits, fallback };
}

/** What stands in for a broken version has to be there. */
function fallbackVersion({ breaker }: ModelConfig): readonly number[] {
  return typeof breaker?.fallback === 'number' ? [breaker.fallback] : [];
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
