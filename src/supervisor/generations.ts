import type { GenerationPlan, ModelPlan, VersionFailure } from '../registry/plan.js';
import { findMisplaced } from '../repository/misplaced.js';
import { publicationsDigest } from '../repository/publications.js';
import { scanRepository, type RepositorySnapshot } from '../repository/scan.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Logger } from '../telemetry/log.js';
import type { ArtifactSupply, Supplied } from './artifact-supply.js';
import type { CommittedPlan } from './committed-plan.js';
import type { Committer } from './committer.js';
import type { EventBus } from './event-bus.js';
import type { Device } from '../config/device.js';
import type { LiveConfig } from './live-config.js';
import { failureEvents } from './model-events.js';
import { activate, choicesOf, type ChoiceChange, type Choices } from './operator-choices.js';
import {
  planGeneration,
  planModelChange,
  servesTheSame,
  type PlanInput,
  type PlannedGeneration,
  type PlanProblem,
} from './plan-generation.js';
import { toReloadResult, type ReloadResult } from './reload-result.js';
import { rolledBack } from './rollback.js';
import type { SwapResult } from './swap-coordinator.js';
import type { ThreadBudget } from './thread-budget.js';
import type { WorkerPool } from './worker-pool.js';

export interface GenerationsOptions {
  config: LiveConfig;
  committed: CommittedPlan;
  committer: Committer;
  artifacts: ArtifactSupply;
  pool: Pick<WorkerPool, 'isComplete'>;
  threads: ThreadBudget;
  devices: readonly Device[];
  events: EventBus;
  log: Logger;
}

interface SwapOutcome {
  result: ReloadResult;
  failures: readonly VersionFailure[];
  problems: readonly PlanProblem[];
}

/**
 * Moves from generation to generation: what the repository and the operator ask for is planned, supplied
 * with artifacts and committed. One call at a time.
 */
export class Generations {
  #failures: readonly VersionFailure[] = [];
  #problems: readonly PlanProblem[] = [];
  #followed: string | undefined;
  #misplaced = '';

  constructor(private readonly options: GenerationsOptions) {}

  /** Versions that were refused when their model was followed last. */
  get failures(): readonly VersionFailure[] {
    return this.#failures;
  }

  /** Models that could not be followed the last time. */
  get problems(): readonly PlanProblem[] {
    return this.#problems;
  }

  /** Digest of the publications that were followed last. */
  get followed(): string | undefined {
    return this.#followed;
  }

  /** Rejects with FAILED_PRECONDITION if the repository cannot be read. */
  async scan(): Promise<RepositorySnapshot> {
    try {
      return await scanRepository(this.options.config.current.models);
    } catch (error) {
      const { message } = error as Error;
      throw new WarmswapError('FAILED_PRECONDITION', `the repository cannot be read: ${message}`);
    }
  }

  /** Brings all workers to what the repository has. Rejects as `scan`. */
  async follow(): Promise<ReloadResult> {
    const snapshot = await this.scan();
    this.#followed = publicationsDigest(snapshot);
    const { models } = this.options.config.current;
    if (snapshot.models.size === 0)
      this.options.log.warn({ models }, 'the repository has no model');
    const { choices } = this.options.committed;
    const outcome = await this.#swap((failures) =>
      planGeneration(this.#input(snapshot, choices, failures)),
    );
    this.#failures = outcome.failures;
    this.#problems = outcome.problems;
    const warnings = await this.#findMisplaced();
    return { ...outcome.result, ...(warnings.length > 0 && { warnings }) };
  }

  /** Logged as often as something else is found. */
  async #findMisplaced(): Promise<string[]> {
    const misplaced = await findMisplaced(this.options.config.current.models);
    const text = misplaced.join('\n');
    if (text !== this.#misplaced && misplaced.length > 0) {
      this.options.log.warn({ misplaced }, 'models lie where nobody looks for them');
    }
    this.#misplaced = text;
    return misplaced;
  }

  /**
   * Follows an operator's choice for a model, and changes nothing else. Rejects with NOT_FOUND if there
   * is no such model.
   */
  async change(name: string, change: ChoiceChange): Promise<ReloadResult> {
    const { choices, current } = this.options.committed;
    const snapshot = await this.scan();
    const model = snapshot.models.get(name);
    if (!model) throw new WarmswapError('NOT_FOUND', `there is no model '${name}'`);
    const served = current.models.find((each) => each.name === name);
    const changed = { ...choices, [name]: change(choicesOf(choices, name), { model, served }) };
    const outcome = await this.#swap((failures) =>
      planModelChange(model, this.#input(snapshot, changed, failures)),
    );
    const isOther = (each: { model: string }) => each.model !== name;
    this.#failures = [...this.#failures.filter(isOther), ...outcome.failures];
    this.#problems = [...this.#problems.filter(isOther), ...outcome.problems];
    return outcome.result;
  }

  /** See Supervisor. */
  async rollBack(model: string): Promise<ReloadResult> {
    const { committed, committer } = this.options;
    const before = committed.current;
    const { active, previous } = this.#servedModel(model);
    if (previous === undefined) {
      const reason = `no version of ${model} was active before version ${active}`;
      throw new WarmswapError('FAILED_PRECONDITION', reason);
    }
    const plan = rolledBack(before, model);
    if (!plan) return this.change(model, activate(previous, true));
    const swap = await committer.commit(plan);
    const outcome = { before, after: committed.current, wanted: plan, swap, problems: [] };
    const result = toReloadResult({ ...outcome, failures: failuresOf(swap) });
    this.#logResult(result, swap);
    return result;
  }

  #servedModel(name: string): ModelPlan {
    const { models } = this.options.committed.current;
    const model = models.find((each) => each.name === name);
    if (model) return model;
    const served = models.map((each) => each.name).join(', ') || 'none';
    throw new WarmswapError('NOT_FOUND', `model '${name}' is not served; models served: ${served}`);
  }

  /**
   * Plans and commits until a plan succeeds or none is left to try: versions that fail are left out
   * of the next plan, so that one bad version does not hold up the others. What is committed has the
   * choices that could be followed, and for the others those that held before.
   */
  async #swap(
    planWithout: (failures: readonly VersionFailure[]) => PlannedGeneration,
  ): Promise<SwapOutcome> {
    const { committed, artifacts } = this.options;
    const before = committed.current;
    const failures: VersionFailure[] = [];
    let planned: PlannedGeneration;
    let swap: SwapResult | undefined;
    let fresh: readonly VersionFailure[];
    do {
      planned = planWithout(failures);
      const attempt = await this.#attempt(planned.plan);
      swap = attempt.swap;
      fresh = newFailures(attempt.failures, failures);
      failures.push(...fresh);
      this.#tellOfFailures(fresh, planned.plan);
    } while (fresh.length > 0);
    await artifacts.collect(committed.current);
    const { problems, plan } = planned;
    if (servesTheSame(plan, committed.current)) committed.follow(plan.choices);
    const after = committed.current;
    const result = toReloadResult({ before, after, wanted: plan, swap, failures, problems });
    this.#logResult(result, swap);
    return { result, failures, problems };
  }

  #input(
    snapshot: RepositorySnapshot,
    choices: Choices,
    failures: readonly VersionFailure[],
  ): PlanInput {
    const { committed, committer, config, devices, threads } = this.options;
    const { cuda, gpu } = config.current;
    return {
      ...{ snapshot, committed: committed.current, choices, failures, threads },
      host: { devices, cuda, sharers: gpu.shareWeights ? threads.workers : 0 },
      ...{ rollback: committer.rollbackPolicy, stopped: committed.stopped },
    };
  }

  /** Commits nothing of which an artifact could not be made. */
  async #attempt(
    plan: GenerationPlan,
  ): Promise<{ swap: SwapResult | undefined; failures: readonly VersionFailure[] }> {
    const supplied = await this.#supply(plan);
    if (supplied.failures.length > 0) return { swap: undefined, failures: supplied.failures };
    const swap = await this.options.committer.commit(supplied.plan);
    return { swap, failures: failuresOf(swap) };
  }

  async #supply(plan: GenerationPlan): Promise<Supplied> {
    const { artifacts, committed, pool } = this.options;
    const isSame = servesTheSame(plan, committed.current);
    if (isSame && pool.isComplete) return { plan, failures: [] };
    // A worker that could not load what is committed may have missed an artifact.
    if (isSame) artifacts.forget();
    return artifacts.supply(plan);
  }

  #tellOfFailures(failures: readonly VersionFailure[], { generation }: GenerationPlan): void {
    for (const event of failureEvents(failures, generation)) this.options.events.publish(event);
  }

  #logResult(result: ReloadResult, swap: SwapResult | undefined): void {
    const flipMs = swap?.outcome === 'committed' ? { flipMs: swap.flipMs } : {};
    const isFine = result.changes.every((change) => change.result === 'committed');
    this.options.log[isFine ? 'info' : 'error']({ ...result, ...flipMs }, 'reload');
  }
}

function failuresOf(swap: SwapResult | undefined): readonly VersionFailure[] {
  return swap?.outcome === 'aborted' ? swap.failures : [];
}

/** Those that are not known yet: leaving them out of the next plan makes a difference. */
function newFailures(
  failures: readonly VersionFailure[],
  known: readonly VersionFailure[],
): readonly VersionFailure[] {
  return failures.filter(
    ({ model, key, isServable }) =>
      !known.some(
        (failed) =>
          failed.model === model && failed.key === key && failed.isServable === isServable,
      ),
  );
}
