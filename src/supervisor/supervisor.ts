import { join } from 'node:path';
import type { DaemonConfig } from '../config/schema.js';
import type { GenerationPlan, ModelPlan, VersionFailure } from '../registry/plan.js';
import { scanRepository, type RepositorySnapshot } from '../repository/scan.js';
import { WarmswapError } from '../rpc/errors.js';
import type { DaemonEvent } from '../rpc/events.js';
import type { Logger } from '../telemetry/log.js';
import type { WorkerSettings } from '../worker/messages.js';
import {
  planGeneration,
  servesTheSame,
  type PlannedGeneration,
  type PlanProblem,
} from './plan-generation.js';
import { ArtifactSupply, type Supplied } from './artifact-supply.js';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { ElasticSizer } from './elastic-sizer.js';
import { EventBus } from './event-bus.js';
import { failureEvents, modelEvents } from './model-events.js';
import { findFreePort } from './free-port.js';
import { RepositoryWatch } from './repository-watch.js';
import { publicationsDigest } from '../repository/publications.js';
import { repositoryIndex, type IndexEntry } from './repository-index.js';
import { toReloadResult, type ReloadResult } from './reload-result.js';
import { collectStatus, type Status } from './status.js';
import type { SwapResult } from './swap-coordinator.js';
import { activate, choicesOf, type ChoiceChange, type Choices } from './operator-choices.js';
import { rolledBack, withoutReplaced, type RollbackPolicy } from './rollback.js';
import { RollbackWindows } from './rollback-windows.js';
import { SwapDriver } from './swap-driver.js';
import { firstWorkers, threadBudget, type ThreadBudget } from './thread-budget.js';
import { WorkerPool } from './worker-pool.js';

export interface SupervisorOptions {
  config: DaemonConfig;
  /** Reads the configuration again; throws if it cannot be used. */
  readConfig(): DaemonConfig;
  log: Logger;
}

/** One worker that was drained, and the one in its place. */
export interface WorkerExchange {
  worker: number;
  replacement: number;
}

/** Workers whose supervisor was killed stop listening within this. */
const PORT_PATIENCE_MS = 10_000;
/** All that runs here yet. */
const DEVICE = 'cpu';
/** Settings that only a restart can change. */
const FIXED_SETTINGS = [
  'store',
  'state',
  'listen',
  'admin',
  'auth',
  'workers',
  'device',
  'watch',
  'limits',
  'health',
  'log',
] as const;

/**
 * The daemon's control side: keeps the workers running, and moves them from generation to generation
 * as the repository and the operator ask. Runs no model itself.
 */
export class Supervisor {
  /** What happens, for those who want to know. */
  readonly events = new EventBus();
  readonly #startedAt = Date.now();
  readonly #pool: WorkerPool;
  readonly #driver: SwapDriver;
  readonly #artifacts: ArtifactSupply;
  readonly #checkpoint: CheckpointKeeper;
  readonly #sizer: ElasticSizer | undefined;
  readonly #threads: ThreadBudget;
  readonly #windows: RollbackWindows;
  readonly #watch: RepositoryWatch;
  #config: DaemonConfig;
  #committed: GenerationPlan = { generation: 0, models: [] };
  #failures: readonly VersionFailure[] = [];
  #problems: readonly PlanProblem[] = [];
  /** Digest of the publications that were followed last. */
  #followed: string | undefined;
  #lastAttempt = 0;
  #stopping = false;
  /** Nothing is worth a checkpoint before, or after the one that says that it has stopped. */
  #isServing = false;
  #address: { host: string; port: number };
  /** Reloads run one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SupervisorOptions) {
    this.#config = options.config;
    this.#address = options.config.listen;
    const nextAttempt = () => ++this.#lastAttempt;
    this.#driver = new SwapDriver({
      prepareTimeoutMs: () => this.#config.swap.prepareTimeout,
      nextAttempt,
      members: () => this.#pool.members,
      send: (worker, message) => this.#pool.send(worker, message),
      replace: (worker) => this.#pool.replace(worker),
      onDecided: (plan) => this.#onDecided(plan),
    });
    this.#windows = new RollbackWindows({
      windowMs: () => this.#config.swap.rollbackWindow,
      onEnd: () => this.#retireReplaced(),
    });
    this.#watch = new RepositoryWatch({
      directory: () => this.#config.models,
      scan: () => this.#scan(),
      served: () => this.#followed,
      // It waits its turn: what an operator has asked for is not given up for it.
      reload: () => this.#inTurn(() => this.#swap(this.#choices)),
      log: options.log,
    });
    this.#artifacts = new ArtifactSupply({
      store: this.#config.store.path,
      maxBytes: this.#config.store.maxBytes,
      device: DEVICE,
      log: options.log,
    });
    this.#checkpoint = new CheckpointKeeper({
      folder: this.#config.state ?? join(this.#config.store.path, 'state'),
      identity: () => {
        const { models, listen } = this.#config;
        return { models, host: listen.host, port: listen.port };
      },
      log: options.log,
    });
    this.#threads = threadBudget(this.#config.workers);
    this.#pool = new WorkerPool({
      size: firstWorkers(this.#config.workers),
      settings: workerSettings(this.#config),
      health: this.#config.health,
      committed: () => this.#committed,
      nextAttempt,
      onSwapMessage: (worker, message) => this.#driver.onWorkerMessage(worker, message),
      onJoined: (worker) => this.#driver.onWorkerJoined(worker),
      onGone: (worker) => this.#driver.onWorkerGone(worker),
      onEvent: (event) =>
        this.events.publish({
          ...{ type: 'worker', ...event, generation: this.#committed.generation },
        }),
      onBreaker: (event) =>
        this.events.publish({
          ...{ type: 'model', ...event, generation: this.#committed.generation },
        }),
      log: options.log,
    });
    const { workers } = this.#config;
    if (typeof workers === 'object') {
      this.#sizer = new ElasticSizer({
        settings: workers,
        pool: this.#pool,
        isSwapping: () => this.#driver.isSwapping,
        log: options.log,
      });
    }
    this.events.subscribe({ onEvent: (event) => this.#tellWorkers(event), onEnd: () => {} });
  }

  /** Address of the data plane. */
  get address(): { host: string; port: number } {
    return this.#address;
  }

  /** What operators have asked for, as far as it is followed. */
  get #choices(): Choices {
    return this.#committed.choices ?? {};
  }

  get isReady(): boolean {
    return this.#pool.workers.some((worker) => worker.state === 'ready');
  }

  /**
   * Starts the workers, serves what the repository has, then listens. After a daemon that was killed
   * it serves what that one had committed; a reload, or the watch, follows the repository then.
   */
  async start(): Promise<void> {
    const wasKilled = this.#restore();
    await this.#startWorkers();
    this.#windows.onRestored(this.#committed);
    if (!wasKilled || !this.#pool.isComplete) await this.#inTurn(() => this.#swap(this.#choices));
    const { host, port } = this.#config.listen;
    const patienceMs = wasKilled ? PORT_PATIENCE_MS : 0;
    this.#address = { host, port: await findFreePort(host, port, patienceMs) };
    await this.#pool.open(host, this.#address.port);
    this.#isServing = true;
    this.#save('committed');
    if (!this.#stopping) this.#sizer?.start();
    if (this.#config.watch) this.#watch.start();
  }

  /**
   * Reads configuration and repository again and brings all workers to what they say. Rejects with
   * FAILED_PRECONDITION if one of them cannot be read; everything is kept as it is then.
   */
  async reload(): Promise<ReloadResult> {
    this.#supersede();
    return this.#inTurn(() => {
      this.#readConfig();
      this.#pool.retryFailed();
      return this.#swap(this.#choices);
    });
  }

  /** Follows an operator's choice for a model. Rejects with NOT_FOUND if there is no such model. */
  async change(model: string, change: ChoiceChange): Promise<ReloadResult> {
    this.#supersede();
    return this.#inTurn(() => this.#change(model, change));
  }

  /**
   * Makes the version active that was before: at once while that is still ready, else by loading it
   * again. Rejects with NOT_FOUND if the model is not served, or that version is gone from the
   * repository meanwhile; with FAILED_PRECONDITION if no other one was active before.
   */
  async rollback(model: string): Promise<ReloadResult> {
    this.#supersede();
    return this.#inTurn(() => this.#rollBack(model));
  }

  /** What the repository has, and what of it is served. */
  async index(): Promise<IndexEntry[]> {
    return repositoryIndex(await this.#scan(), this.#committed, this.#failures);
  }

  /** Replaces one worker, the new one first. Rejects if it is not ready or no new one becomes so. */
  async drain(worker: number): Promise<WorkerExchange> {
    const { replacement, ended } = await this.#inTurn(() => this.#pool.exchange(worker));
    await ended;
    return { worker, replacement };
  }

  /** Replaces all workers, one after another, by such as the program on the disk makes now. */
  async restart(): Promise<{ workers: WorkerExchange[] }> {
    this.#pool.retryFailed();
    const workers: WorkerExchange[] = [];
    for (const worker of this.#pool.workers) {
      // One that has ended meanwhile is replaced already.
      const isThere = this.#pool.workers.includes(worker) && worker.state === 'ready';
      if (isThere) workers.push(await this.drain(worker.id));
    }
    return { workers };
  }

  status(): Promise<Status> {
    return collectStatus({
      committed: this.#committed,
      failures: this.#failures,
      problems: this.#problems,
      pool: this.#pool,
      packing: this.#artifacts.packing,
      listen: this.#address,
      device: DEVICE,
      startedAt: this.#startedAt,
    });
  }

  /** Lets every worker finish what it holds, then ends it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#watch.close();
    this.#windows.close();
    this.#sizer?.close();
    this.#artifacts.close();
    this.#driver.supersede();
    this.#driver.close();
    await this.#pool.close();
    this.#save('stopped');
    this.#isServing = false;
    this.events.close();
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#watch.close();
    this.#windows.close();
    this.#sizer?.close();
    this.#artifacts.close();
    this.#driver.close();
    this.#pool.kill();
  }

  /** Nothing supersedes the first swap: the workers listen after it. */
  #supersede(): void {
    if (this.isReady) this.#driver.supersede();
  }

  /** Takes over what the last daemon had committed; whether that one was killed. */
  #restore(): boolean {
    const checkpoint = this.#checkpoint.restore();
    if (!checkpoint) return false;
    const { phase, plan } = checkpoint;
    const wasKilled = phase !== 'stopped';
    this.#committed = wasKilled ? plan : { ...plan, models: [] };
    const { generation } = plan;
    if (wasKilled) this.options.log.warn({ generation, phase }, 'coming back after a crash');
    return wasKilled;
  }

  /** On the disk before the first worker hears of it. */
  #onDecided(plan: GenerationPlan): void {
    const before = this.#committed;
    this.#committed = plan;
    this.#save('committing');
    this.#windows.onCommitted(before, plan);
    const { generation } = plan;
    this.events.publish({ type: 'swap', state: 'prepared', generation });
  }

  #save(phase: Checkpoint['phase']): void {
    if (this.#isServing) this.#checkpoint.save({ phase, plan: this.#committed });
  }

  /** A generation that no worker survives is given up, so that the next start follows the repository. */
  async #startWorkers(): Promise<void> {
    try {
      await this.#pool.start();
    } catch (error) {
      const plan = this.#committed;
      if (plan.generation > 0 && !this.#stopping) this.#checkpoint.save({ phase: 'stopped', plan });
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #change(name: string, change: ChoiceChange): Promise<ReloadResult> {
    const model = (await this.#scan()).models.get(name);
    if (!model) throw new WarmswapError('NOT_FOUND', `there is no model '${name}'`);
    const served = this.#committed.models.find((each) => each.name === name);
    const changed = change(choicesOf(this.#choices, name), { model, served });
    return this.#swap({ ...this.#choices, [name]: changed });
  }

  async #rollBack(model: string): Promise<ReloadResult> {
    const before = this.#committed;
    const { active, previous } = this.#servedModel(model);
    if (previous === undefined) {
      const reason = `no version of ${model} was active before version ${active}`;
      throw new WarmswapError('FAILED_PRECONDITION', reason);
    }
    const plan = rolledBack(before, model);
    if (!plan) return this.#change(model, activate(previous, true));
    const swap = await this.#commit(plan);
    const outcome = { before, after: this.#committed, wanted: plan, swap, problems: [] };
    const result = toReloadResult({ ...outcome, failures: failuresOf(swap) });
    this.#logResult(result, swap);
    return result;
  }

  #servedModel(name: string): ModelPlan {
    const { models } = this.#committed;
    const model = models.find((each) => each.name === name);
    if (model) return model;
    const served = models.map((each) => each.name).join(', ') || 'none';
    throw new WarmswapError('NOT_FOUND', `model '${name}' is not served; models served: ${served}`);
  }

  /** What only a rollback would want goes once its window has ended. */
  #retireReplaced(): void {
    void this.#inTurn(async () => {
      const plan = withoutReplaced(this.#committed, this.#windows.open);
      if (servesTheSame(plan, this.#committed)) return;
      const swap = await this.#commit(plan);
      if (swap?.outcome === 'aborted') this.#windows.again();
      else this.options.log.info({ generation: plan.generation }, 'replaced versions retire');
    });
  }

  /**
   * Plans and commits until a plan succeeds or none is left to try: versions that fail are left out
   * of the next plan, so that one bad version does not hold up the others. What is committed has the
   * choices that could be followed, and for the others those that held before.
   */
  async #swap(choices: Choices): Promise<ReloadResult> {
    const snapshot = await this.#scan();
    this.#followed = publicationsDigest(snapshot);
    const before = this.#committed;
    const failures: VersionFailure[] = [];
    let planned: PlannedGeneration;
    let swap: SwapResult | undefined;
    let fresh: readonly VersionFailure[];
    do {
      planned = planGeneration({
        ...{ snapshot, committed: this.#committed, choices, failures },
        threads: this.#threads,
        rollback: this.#rollbackPolicy(),
      });
      const supplied = await this.#supply(planned.plan);
      swap = supplied.failures.length > 0 ? undefined : await this.#commit(supplied.plan);
      fresh = newFailures([...supplied.failures, ...failuresOf(swap)], failures);
      failures.push(...fresh);
      const { generation } = planned.plan;
      for (const event of failureEvents(fresh, generation)) this.events.publish(event);
    } while (fresh.length > 0);
    await this.#artifacts.collect(this.#committed);
    if (servesTheSame(planned.plan, this.#committed)) this.#follow(planned.plan.choices);
    this.#failures = failures;
    this.#problems = planned.problems;
    const after = this.#committed;
    const { problems, plan } = planned;
    const result = toReloadResult({ before, after, wanted: plan, swap, failures, problems });
    this.#logResult(result, swap);
    return result;
  }

  /** Takes over choices that ask for nothing else to be served than is already. */
  #follow(choices: Choices = {}): void {
    if (JSON.stringify(choices) === JSON.stringify(this.#choices)) return;
    this.#committed = { ...this.#committed, choices };
    this.#save('committed');
  }

  #rollbackPolicy(): RollbackPolicy {
    return { keepsReplaced: this.#config.swap.rollbackWindow > 0, open: this.#windows.open };
  }

  async #supply(plan: GenerationPlan): Promise<Supplied> {
    const isSame = servesTheSame(plan, this.#committed);
    if (isSame && this.#pool.isComplete) return { plan, failures: [] };
    // A worker that could not load what is committed may have missed an artifact.
    if (isSame) this.#artifacts.forget();
    return this.#artifacts.supply(plan);
  }

  /** Nothing if the plan is what is served already. Commits nothing that no worker has prepared. */
  async #commit(plan: GenerationPlan): Promise<SwapResult | undefined> {
    if (servesTheSame(plan, this.#committed) && this.#pool.isComplete) return undefined;
    if (this.#stopping) return aborted('the daemon is shutting down');
    if (this.#pool.members.length === 0) return aborted('no worker is up to prepare it; try again');
    const before = this.#committed;
    const result = await this.#driver.run(plan);
    if (result.outcome === 'committed') this.#save('committed');
    this.#publishSwap(before, plan, result);
    return result;
  }

  /** Their clients may have subscribed. */
  #tellWorkers(event: DaemonEvent): void {
    for (const id of this.#pool.members) this.#pool.send(id, { type: 'event', event });
  }

  #publishSwap(before: GenerationPlan, plan: GenerationPlan, result: SwapResult): void {
    const { outcome } = result;
    const reason = outcome === 'aborted' ? { reason: result.reason } : {};
    const { generation } = plan;
    this.events.publish({ type: 'swap', state: outcome, generation, ...reason });
    if (outcome === 'aborted') return;
    for (const event of modelEvents(before, plan)) this.events.publish(event);
  }

  async #scan(): Promise<RepositorySnapshot> {
    try {
      return await scanRepository(this.#config.models);
    } catch (error) {
      const { message } = error as Error;
      throw new WarmswapError('FAILED_PRECONDITION', `the repository cannot be read: ${message}`);
    }
  }

  #readConfig(): void {
    let next: DaemonConfig;
    try {
      next = this.options.readConfig();
    } catch (error) {
      throw new WarmswapError('FAILED_PRECONDITION', (error as Error).message, { cause: error });
    }
    const { models, swap } = next;
    const fixed = FIXED_SETTINGS.filter(
      (key) => JSON.stringify(next[key]) !== JSON.stringify(this.#config[key]),
    );
    if (fixed.length > 0) this.options.log.warn({ settings: fixed }, 'restart to apply');
    this.#config = { ...this.#config, models, swap };
  }

  #logResult(result: ReloadResult, swap: SwapResult | undefined): void {
    const flipMs = swap?.outcome === 'committed' ? { flipMs: swap.flipMs } : {};
    const isFine = result.changes.every((change) => change.result === 'committed');
    this.options.log[isFine ? 'info' : 'error']({ ...result, ...flipMs }, 'reload');
  }
}

function aborted(reason: string): SwapResult {
  return { outcome: 'aborted', reason, failures: [] };
}

function workerSettings(config: DaemonConfig): Omit<WorkerSettings, 'id'> {
  return {
    limits: config.limits,
    drainTimeoutMs: config.swap.drainTimeout,
    logLevel: config.log.level,
  };
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
