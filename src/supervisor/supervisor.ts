import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DaemonConfig } from '../config/schema.js';
import type { GenerationPlan, VersionFailure } from '../registry/plan.js';
import { scanRepository, type RepositorySnapshot } from '../repository/scan.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Logger } from '../telemetry/log.js';
import type { WorkerSettings } from '../worker/messages.js';
import {
  planGeneration,
  servesTheSame,
  type Activation,
  type PlannedGeneration,
  type PlanProblem,
} from './plan-generation.js';
import { ArtifactSupply, type Supplied } from './artifact-supply.js';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { ElasticSizer } from './elastic-sizer.js';
import { findFreePort } from './free-port.js';
import { toReloadResult, type ReloadResult } from './reload-result.js';
import { collectStatus, type Status } from './status.js';
import type { SwapResult } from './swap-coordinator.js';
import { SwapDriver } from './swap-driver.js';
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

/** On a host with many cores more workers than this rarely help. */
const MOST_WORKERS_BY_DEFAULT = 4;
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
  'limits',
  'health',
  'log',
] as const;

/**
 * The daemon's control side: keeps the workers running, and moves them from generation to generation
 * as the repository and the operator ask. Runs no model itself.
 */
export class Supervisor {
  readonly #startedAt = Date.now();
  readonly #pool: WorkerPool;
  readonly #driver: SwapDriver;
  readonly #artifacts: ArtifactSupply;
  readonly #checkpoint: CheckpointKeeper;
  readonly #sizer: ElasticSizer | undefined;
  #config: DaemonConfig;
  #committed: GenerationPlan = { generation: 0, models: [] };
  #activations: ReadonlyMap<string, Activation> = new Map();
  /** Those that the swap under way follows. */
  #wanted: ReadonlyMap<string, Activation> = new Map();
  #failures: readonly VersionFailure[] = [];
  #problems: readonly PlanProblem[] = [];
  #lastAttempt = 0;
  #stopping = false;
  /** Nothing is worth a checkpoint before. */
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
    const { size, most } = workerCount(this.#config.workers);
    this.#pool = new WorkerPool({
      size,
      settings: workerSettings(this.#config, most),
      health: this.#config.health,
      committed: () => this.#committed,
      nextAttempt,
      onSwapMessage: (worker, message) => this.#driver.onWorkerMessage(worker, message),
      onJoined: (worker) => this.#driver.onWorkerJoined(worker),
      onGone: (worker) => this.#driver.onWorkerGone(worker),
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
  }

  /** Address of the data plane. */
  get address(): { host: string; port: number } {
    return this.#address;
  }

  get isReady(): boolean {
    return this.#pool.workers.some((worker) => worker.state === 'ready');
  }

  /**
   * Starts the workers, serves what the repository has, then listens. After a daemon that was killed
   * it serves what that one had committed; a reload follows the repository then.
   */
  async start(): Promise<void> {
    const wasKilled = this.#restore();
    await this.#startWorkers();
    if (!wasKilled || !this.#pool.isComplete) {
      await this.#inTurn(() => this.#swap(this.#activations));
    }
    const { host, port } = this.#config.listen;
    const patienceMs = wasKilled ? PORT_PATIENCE_MS : 0;
    this.#address = { host, port: await findFreePort(host, port, patienceMs) };
    await this.#pool.open(host, this.#address.port);
    this.#isServing = true;
    if (!this.#stopping) this.#sizer?.start();
    this.#save('committed');
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
      return this.#swap(this.#activations);
    });
  }

  /** Makes a version active, loading it if need be. Rejects with NOT_FOUND if there is none. */
  async activate(
    model: string,
    version: number,
    allowSignatureChange: boolean,
  ): Promise<ReloadResult> {
    this.#supersede();
    return this.#inTurn(async () => {
      const known = (await this.#scan()).models.get(model)?.versions.map((v) => v.version) ?? [];
      if (!known.includes(version)) {
        const there = known.length === 0 ? 'no such model' : `versions: ${known.join(', ')}`;
        throw new WarmswapError(
          'NOT_FOUND',
          `${model}/${version} is not in the repository; ${there}`,
        );
      }
      const newestKnown = Math.max(...known);
      const activation = { version, newestKnown, allowSignatureChange };
      return this.#swap(new Map(this.#activations).set(model, activation));
    });
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
    this.#sizer?.close();
    this.#artifacts.close();
    this.#driver.supersede();
    this.#driver.close();
    await this.#pool.close();
    this.#save('stopped');
  }

  /** Ends every worker at once. */
  kill(): void {
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
    const { phase, plan, activations } = checkpoint;
    const wasKilled = phase !== 'stopped';
    this.#committed = wasKilled ? plan : { generation: plan.generation, models: [] };
    this.#activations = activations;
    const { generation } = plan;
    if (wasKilled) this.options.log.warn({ generation, phase }, 'coming back after a crash');
    return wasKilled;
  }

  /** On the disk before the first worker hears of it. */
  #onDecided(plan: GenerationPlan): void {
    this.#save('committing', plan, this.#followed(this.#wanted, plan));
    this.#committed = plan;
  }

  #save(phase: Checkpoint['phase'], plan = this.#committed, activations = this.#activations): void {
    if (this.#isServing) this.#checkpoint.save({ phase, plan, activations });
  }

  /** A generation that no worker survives is given up, so that the next start follows the repository. */
  async #startWorkers(): Promise<void> {
    try {
      await this.#pool.start();
    } catch (error) {
      const { generation } = this.#committed;
      const activations = this.#activations;
      if (generation > 0 && !this.#stopping) {
        this.#checkpoint.save({ phase: 'stopped', plan: { generation, models: [] }, activations });
      }
      throw error;
    }
  }

  /** Those of `activations` that a generation follows, and for the others what holds already. */
  #followed(
    activations: ReadonlyMap<string, Activation>,
    plan: GenerationPlan,
  ): ReadonlyMap<string, Activation> {
    return new Map([...followed(this.#activations, plan), ...followed(activations, plan)]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /**
   * Plans and commits until a plan succeeds or none is left to try: versions that fail are left out
   * of the next plan, so that one bad version does not hold up the others. Of `activations` those
   * are kept that could be followed, for the others what held before.
   */
  async #swap(activations: ReadonlyMap<string, Activation>): Promise<ReloadResult> {
    this.#wanted = activations;
    const snapshot = await this.#scan();
    const before = this.#committed;
    const failures: VersionFailure[] = [];
    let planned: PlannedGeneration;
    let swap: SwapResult | undefined;
    let fresh: readonly VersionFailure[];
    do {
      planned = planGeneration({ snapshot, committed: this.#committed, activations, failures });
      const supplied = await this.#supply(planned.plan);
      swap = supplied.failures.length > 0 ? undefined : await this.#commit(supplied.plan);
      fresh = newFailures([...supplied.failures, ...failuresOf(swap)], failures);
      failures.push(...fresh);
    } while (fresh.length > 0);
    await this.#artifacts.collect(this.#committed);
    this.#activations = this.#followed(activations, this.#committed);
    this.#save('committed');
    this.#failures = failures;
    this.#problems = planned.problems;
    const after = this.#committed;
    const { problems, plan } = planned;
    const result = toReloadResult({ before, after, wanted: plan, swap, failures, problems });
    this.#logResult(result, swap);
    return result;
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
    return this.#driver.run(plan);
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

/** How many workers there are at first, and at most. */
function workerCount(workers: DaemonConfig['workers']): { size: number; most: number } {
  if (typeof workers === 'object') return { size: workers.min, most: workers.max };
  const size =
    workers === 'auto' ? Math.min(MOST_WORKERS_BY_DEFAULT, availableParallelism()) : workers;
  return { size, most: size };
}

/** The workers share the cores: together they run no more threads than there are. */
function workerSettings(config: DaemonConfig, workers: number): Omit<WorkerSettings, 'id'> {
  const intraOpThreads = Math.max(1, Math.floor(availableParallelism() / workers));
  return {
    threads: { intraOpThreads },
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
    ({ model, key }) => !known.some((failed) => failed.model === model && failed.key === key),
  );
}

/** Those whose version is what is served. */
function followed(
  activations: ReadonlyMap<string, Activation>,
  committed: GenerationPlan,
): [string, Activation][] {
  return [...activations].filter(([name, { version }]) =>
    committed.models.some((model) => model.name === name && model.active === version),
  );
}
