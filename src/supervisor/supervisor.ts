import { deviceKind, type Device, type DeviceKind } from '../config/device.js';
import type { DaemonConfig } from '../config/schema.js';
import type { GenerationPlan } from '../registry/plan.js';
import type { DaemonEvent } from '../rpc/events.js';
import type { Logger } from '../telemetry/log.js';
import type { WorkerSettings } from '../worker/messages.js';
import { AccessKeeper } from './access-keeper.js';
import { hasArtifactsFor } from './artifact-device.js';
import { ArtifactSupply } from './artifact-supply.js';
import { stateFolder } from './checkpoint.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { CommittedPlan } from './committed-plan.js';
import { Committer } from './committer.js';
import { ElasticSizer } from './elastic-sizer.js';
import { EventBus } from './event-bus.js';
import { findFreePort, portError } from './free-port.js';
import { Generations } from './generations.js';
import { LiveConfig } from './live-config.js';
import type { ChoiceChange } from './operator-choices.js';
import type { ReloadResult } from './reload-result.js';
import { repositoryIndex, type IndexEntry } from './repository-index.js';
import { RepositoryWatch } from './repository-watch.js';
import { collectStatus, type Status } from './status.js';
import { sharingProblem } from './sharing-problem.js';
import { firstWorkers, threadBudget, type ThreadBudget } from './thread-budget.js';
import { TurnQueue } from './turn-queue.js';
import { WeightSharing } from './weight-sharing.js';
import { WorkerPool } from './worker-pool.js';

export interface SupervisorOptions {
  config: DaemonConfig;
  /** What models run on, all GPUs or the processor. At least one. */
  devices: readonly [Device, ...Device[]];
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

/**
 * The daemon's control side, put together: keeps the workers running, has them moved from generation
 * to generation as the repository and the operator ask, and ends them. Runs no model itself.
 */
export class Supervisor {
  /** What happens, for those who want to know. */
  readonly events = new EventBus();
  /** Who may use it. */
  readonly access: AccessKeeper;
  readonly #startedAt = Date.now();
  readonly #log: Logger;
  readonly #config: LiveConfig;
  readonly #devices: SupervisorOptions['devices'];
  readonly #threads: ThreadBudget;
  readonly #artifacts: ArtifactSupply;
  readonly #committed: CommittedPlan;
  /** Reloads, and exchanges of workers, run one after another. */
  readonly #turns = new TurnQueue();
  readonly #pool: WorkerPool;
  readonly #weights: WeightSharing;
  readonly #committer: Committer;
  readonly #generations: Generations;
  readonly #sizer: ElasticSizer | undefined;
  readonly #watch: RepositoryWatch;
  #lastAttempt = 0;
  #stopping = false;
  #address: { host: string; port: number };

  constructor(options: SupervisorOptions) {
    const { config, log } = options;
    this.#log = log;
    this.#devices = options.devices;
    this.#config = new LiveConfig({ initial: config, read: () => options.readConfig(), log });
    this.access = new AccessKeeper(config, log);
    this.#address = { host: config.listen.host, port: config.listen.port };
    this.#threads = threadBudget(config.workers, this.#gpus);
    this.#artifacts = this.#createArtifacts(config);
    this.#committed = new CommittedPlan(this.#createCheckpoint(config), log);
    this.#weights = this.#createWeights(config);
    this.#pool = this.#createPool(config);
    this.#committer = this.#createCommitter();
    this.#generations = this.#createGenerations();
    this.#sizer = this.#createSizer(config);
    this.#watch = this.#createWatch();
    this.events.subscribe({ onEvent: (event) => this.#tellWorkers(event), onEnd: () => {} });
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
   * it serves what that one had committed; a reload, or the watch, follows the repository then.
   */
  async start(): Promise<void> {
    const fits = (plan: GenerationPlan) => hasArtifactsFor(plan, this.#deviceKind);
    const { wasKilled, isServed } = this.#committed.restore(fits);
    await this.#startWorkers();
    this.#committer.onRestored();
    if (!isServed || !this.#pool.isComplete) await this.#followRepository();
    const { host, port } = this.#config.current.listen;
    const patienceMs = wasKilled ? PORT_PATIENCE_MS : 0;
    this.#address = { host, port: await this.#findPort(host, port, patienceMs) };
    await this.#pool.open(host, this.#address.port);
    this.#committed.open();
    if (!this.#stopping) this.#sizer?.start();
    if (this.#config.current.watch) this.#watch.start();
  }

  /**
   * Reads configuration and repository again and brings all workers to what they say. Rejects with
   * FAILED_PRECONDITION if one of them cannot be read; everything is kept as it is then.
   */
  async reload(): Promise<ReloadResult> {
    this.#supersede();
    return this.#turns.run(async () => {
      const { config, waiting } = this.#config.reload();
      const { hasChanged, problem } = this.access.follow(config);
      if (hasChanged) this.#pool.tellAccess();
      this.#pool.retryFailed();
      const { warnings: ofModels = [], ...result } = await this.#generations.follow();
      const ofConfig = waiting.map((setting) => `${setting}: restart to apply what has changed`);
      const warnings = [...ofConfig, ...(problem === undefined ? [] : [problem]), ...ofModels];
      return { ...result, ...(warnings.length > 0 && { warnings }) };
    });
  }

  /** Follows an operator's choice for a model. Rejects with NOT_FOUND if there is no such model. */
  async change(model: string, change: ChoiceChange): Promise<ReloadResult> {
    this.#supersede();
    return this.#turns.run(() => this.#generations.change(model, change));
  }

  /**
   * Makes the version active that was before: at once while that is still ready, else by loading it
   * again. Rejects with NOT_FOUND if the model is not served, or that version is gone from the
   * repository meanwhile; with FAILED_PRECONDITION if no other one was active before.
   */
  async rollback(model: string): Promise<ReloadResult> {
    this.#supersede();
    return this.#turns.run(() => this.#generations.rollBack(model));
  }

  /** What the repository has, and what of it is served. */
  async index(): Promise<IndexEntry[]> {
    const snapshot = await this.#generations.scan();
    return repositoryIndex(snapshot, this.#committed.current, this.#generations.failures);
  }

  /** Replaces one worker, the new one first. Rejects if it is not ready or no new one becomes so. */
  async drain(worker: number): Promise<WorkerExchange> {
    const { replacement, ended } = await this.#turns.run(() => this.#pool.exchange(worker));
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
      committed: this.#committed.current,
      failures: this.#generations.failures,
      problems: this.#generations.problems,
      pool: this.#pool,
      shared: this.#weights.shared,
      packing: this.#artifacts.packing,
      listen: this.#address,
      startedAt: this.#startedAt,
    });
  }

  /** Lets every worker finish what it holds, then ends it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#endActivities();
    await this.#pool.close();
    this.#weights.close();
    this.#committed.close();
    this.events.close();
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#endActivities();
    this.#pool.kill();
    this.#weights.close();
  }

  /** How many GPUs models run on. */
  get #gpus(): number {
    return this.#devices.filter((device) => device !== 'cpu').length;
  }

  get #deviceKind(): DeviceKind {
    return deviceKind(this.#devices[0]);
  }

  #endActivities(): void {
    this.#watch.close();
    this.#sizer?.close();
    this.#artifacts.close();
    this.#committer.close();
  }

  /** Nothing supersedes the first swap: the workers listen after it. */
  #supersede(): void {
    if (this.isReady) this.#committer.driver.supersede();
  }

  async #findPort(host: string, port: number, patienceMs: number): Promise<number> {
    try {
      return await findFreePort(host, port, patienceMs);
    } catch (error) {
      throw portError(error, 'listen.port', '--port');
    }
  }

  /** It waits its turn: what an operator has asked for is not given up for it. */
  #followRepository(): Promise<ReloadResult> {
    return this.#turns.run(() => this.#generations.follow());
  }

  /** A generation that no worker survives is given up, so that the next start follows the repository. */
  async #startWorkers(): Promise<void> {
    try {
      await this.#pool.start();
    } catch (error) {
      if (!this.#stopping) this.#committed.giveUp();
      throw error;
    }
  }

  /** Their clients may have subscribed. */
  #tellWorkers(event: DaemonEvent): void {
    for (const worker of this.#pool.workers) worker.send({ type: 'event', event });
  }

  #createArtifacts({ store, ortLibrary }: DaemonConfig): ArtifactSupply {
    const { path, maxBytes } = store;
    return new ArtifactSupply({
      store: path,
      maxBytes,
      device: this.#deviceKind,
      ortLibrary,
      packTimeoutMs: () => this.#config.current.swap.packTimeout,
      log: this.#log,
    });
  }

  #createCheckpoint(config: DaemonConfig): CheckpointKeeper {
    return new CheckpointKeeper({
      folder: stateFolder(config),
      identity: () => {
        const { models, listen } = this.#config.current;
        return { models, host: listen.host, port: listen.port };
      },
      log: this.#log,
    });
  }

  #createPool(config: DaemonConfig): WorkerPool {
    const settings = workerSettings(config);
    return new WorkerPool({
      size: firstWorkers(config.workers, this.#gpus),
      devices: this.#devices,
      settings: () => ({ ...settings, access: this.access.settings }),
      health: config.health,
      committed: () => this.#committed.current,
      nextAttempt: () => ++this.#lastAttempt,
      onSwapMessage: (worker, message) => this.#committer.driver.onWorkerMessage(worker, message),
      onJoined: (worker) => this.#committer.driver.onWorkerJoined(worker),
      onGone: (worker) => this.#committer.driver.onWorkerGone(worker),
      onEvent: (event) => {
        const { generation } = this.#committed.current;
        this.events.publish({ type: 'worker', ...event, generation });
      },
      onBreaker: (event) => {
        const { generation } = this.#committed.current;
        this.events.publish({ type: 'model', ...event, generation });
      },
      onWeights: (pid, message) => {
        if (message.type === 'borrowWeights') this.#weights.borrow(pid, message);
        else if (message.type === 'returnWeights') this.#weights.giveBack(pid, message.request);
        else this.#weights.settle(pid, message.request);
      },
      onEnded: (pid) => this.#weights.onGone(pid),
      log: this.#log,
    });
  }

  #createWeights({ gpu, ortLibrary }: DaemonConfig): WeightSharing {
    const problem = gpu.shareWeights
      ? sharingProblem(this.#devices, this.#threads.workers)
      : undefined;
    if (problem !== undefined) this.#log.warn(`gpu.shareWeights: ${problem}`);
    return new WeightSharing({
      ortLibrary,
      drainTimeoutMs: () => this.#config.current.swap.drainTimeout,
      answer: (pid, request, answer) => {
        const worker = this.#pool.workers.find((each) => each.pid === pid);
        worker?.send({ type: 'weights', request, ...answer });
      },
      onLost: (pids) => this.#pool.killBlameless(pids, 'its shared weights are lost'),
      log: this.#log,
    });
  }

  #createCommitter(): Committer {
    return new Committer({
      config: this.#config,
      committed: this.#committed,
      pool: this.#pool,
      nextAttempt: () => ++this.#lastAttempt,
      turns: this.#turns,
      events: this.events,
      log: this.#log,
    });
  }

  #createGenerations(): Generations {
    return new Generations({
      config: this.#config,
      committed: this.#committed,
      committer: this.#committer,
      artifacts: this.#artifacts,
      pool: this.#pool,
      threads: this.#threads,
      devices: this.#devices,
      events: this.events,
      log: this.#log,
    });
  }

  #createSizer({ workers }: DaemonConfig): ElasticSizer | undefined {
    if (typeof workers !== 'object') return undefined;
    return new ElasticSizer({
      settings: workers,
      pool: this.#pool,
      isSwapping: () => this.#committer.driver.isSwapping,
      log: this.#log,
    });
  }

  #createWatch(): RepositoryWatch {
    return new RepositoryWatch({
      directory: () => this.#config.current.models,
      scan: () => this.#generations.scan(),
      served: () => this.#generations.followed,
      reload: () => this.#followRepository(),
      log: this.#log,
    });
  }
}

function workerSettings(config: DaemonConfig): Omit<WorkerSettings, 'id' | 'device' | 'access'> {
  return {
    limits: config.limits,
    drainTimeoutMs: config.swap.drainTimeout,
    busyPollMs: config.busyPoll,
    realTime: config.realTime,
    ortLibrary: config.ortLibrary,
    sharesWeights: config.gpu.shareWeights,
    logLevel: config.log.level,
  };
}
