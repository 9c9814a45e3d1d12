import type { GenerationPlan, VersionFailure } from '../registry/plan.js';
import type { WorkerEvent } from '../rpc/events.js';
import type { Logger } from '../telemetry/log.js';
import type { FromWorker, ToWorker, WorkerReport, WorkerSettings } from '../worker/messages.js';
import { withoutFailed } from './join-plan.js';
import { WorkerProcess, type WorkerState } from './worker-process.js';

export interface WorkerPoolOptions {
  size: number;
  settings: Omit<WorkerSettings, 'id'>;
  /** What a worker that (re)starts has to serve before it listens. */
  committed(): GenerationPlan;
  /** Numbers that no other attempt has. */
  nextAttempt(): number;
  /** A member's messages about swaps. */
  onSwapMessage(worker: number, message: FromWorker): void;
  /** A worker became a member, at the committed generation. */
  onJoined(worker: number): void;
  onGone(worker: number): void;
  onEvent(event: Pick<WorkerEvent, 'worker' | 'pid' | 'state' | 'reason'>): void;
  log: Logger;
}

interface Join {
  attempt: number;
  generation: number;
  /** What it cannot load. */
  without: readonly VersionFailure[];
}

interface PendingReport {
  worker: number;
  finish(report?: WorkerReport): void;
}

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 30_000;
/** A worker that lived this long has not crashed in a loop. */
const STABLE_AFTER_MS = 60_000;
const REPORT_TIMEOUT_MS = 2_000;
/** Beyond the drain itself: to unload and to exit. */
const EXIT_GRACE_MS = 5_000;

/** The worker processes: starts them, brings them to the committed generation, restarts the dead. */
export class WorkerPool {
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #backoffs = new Map<number, NodeJS.Timeout>();
  /** By worker: ends in a row that came soon after the start. */
  readonly #crashes = new Map<number, number>();
  readonly #joins = new Map<number, Join>();
  readonly #reports = new Map<number, PendingReport>();
  readonly #waiters = new Set<() => void>();
  #lastReport = 0;
  #address: { host: string; port: number } | undefined;
  #listenFailure: string | undefined;
  #closing = false;

  constructor(private readonly options: WorkerPoolOptions) {}

  get workers(): readonly WorkerProcess[] {
    return [...this.#workers.values()];
  }

  /** Whether every member serves all that is committed. */
  get isComplete(): boolean {
    return this.workers.every((worker) => !worker.isMember || worker.isComplete);
  }

  /** Ids of the workers that take part in swaps. */
  get members(): readonly number[] {
    return this.workers.filter((worker) => worker.isMember).map((worker) => worker.id);
  }

  /** Starts all; resolves when each has joined or ended, rejects if none could start. */
  async start(): Promise<void> {
    for (let id = 0; id < this.options.size; id++) this.#spawn(id, 0);
    await this.#until(() =>
      this.workers.every((worker) => worker.isMember || worker.state === 'gone'),
    );
    if (this.members.length === 0) throw new Error('no worker could start; see its log line above');
  }

  /** Lets the workers listen, now and after each restart. Resolves when each does or has ended, rejects if none does. */
  async open(host: string, port: number): Promise<void> {
    this.#address = { host, port };
    for (const worker of this.workers) this.#listen(worker);
    const has = (state: WorkerState) => (worker: WorkerProcess) => worker.state === state;
    const isSettled = (worker: WorkerProcess) => has('ready')(worker) || has('gone')(worker);
    await this.#until(() => this.#listenFailure !== undefined || this.workers.every(isSettled));
    if (this.workers.some(has('ready'))) return;
    throw new Error(this.#listenFailure ?? 'every worker ended; see their log lines above');
  }

  send(id: number, message: ToWorker): void {
    this.#workers.get(id)?.send(message);
  }

  /** Lets a worker that is stuck finish what it can, then ends it; another takes its place. */
  replace(id: number): void {
    void this.#workers.get(id)?.drain(this.options.settings.drainTimeoutMs + EXIT_GRACE_MS);
  }

  /** What a worker says of itself; nothing if it cannot answer, or does not in time. */
  report(id: number): Promise<WorkerReport | undefined> {
    const request = ++this.#lastReport;
    return new Promise((resolve) => {
      const state = this.#workers.get(id)?.state;
      if (state === undefined || state === 'starting' || state === 'gone') {
        resolve(undefined);
        return;
      }
      const finish = (report?: WorkerReport) => {
        clearTimeout(timer);
        this.#reports.delete(request);
        resolve(report);
      };
      const timer = setTimeout(finish, REPORT_TIMEOUT_MS);
      this.#reports.set(request, { worker: id, finish });
      this.send(id, { type: 'report', request });
    });
  }

  /** Drains and ends all workers. */
  async close(): Promise<void> {
    this.#stopRestarting();
    const timeoutMs = this.options.settings.drainTimeoutMs + EXIT_GRACE_MS;
    await Promise.all(this.workers.map((worker) => worker.drain(timeoutMs)));
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#stopRestarting();
    for (const worker of this.workers) worker.kill();
  }

  #stopRestarting(): void {
    this.#closing = true;
    for (const timer of this.#backoffs.values()) clearTimeout(timer);
    this.#backoffs.clear();
  }

  #spawn(id: number, restarts: number): void {
    this.#backoffs.delete(id);
    const worker = new WorkerProcess(id, restarts, {
      onMessage: (from, message) => this.#onMessage(from, message),
      onExit: (from, how) => this.#onExit(from, how),
    });
    this.#workers.set(id, worker);
    this.options.onEvent({ worker: id, pid: worker.pid, state: 'started' });
    worker.send({ type: 'start', settings: { ...this.options.settings, id } });
  }

  #onMessage(worker: WorkerProcess, message: FromWorker): void {
    // The exit of a process may overtake its last messages.
    if (worker.state === 'gone') return;
    switch (message.type) {
      case 'started':
        this.#join(worker);
        break;
      case 'prepared':
      case 'prepareFailed':
      case 'committed':
        if (worker.state === 'joining') this.#onJoinMessage(worker, message);
        else this.options.onSwapMessage(worker.id, message);
        break;
      case 'listening':
        if (worker.state === 'joined') worker.state = 'ready';
        this.options.onEvent({ worker: worker.id, pid: worker.pid, state: 'ready' });
        this.options.log.info({ worker: worker.id, workerPid: worker.pid }, 'worker ready');
        break;
      case 'listenFailed':
        this.options.log.error({ worker: worker.id }, message.reason);
        this.#listenFailure = message.reason;
        worker.kill();
        break;
      case 'report':
        this.#reports.get(message.request)?.finish(message.report);
    }
    this.#wakeWaiters();
  }

  /** Prepares and commits the committed generation in one worker, again if it moves on meanwhile. */
  #join(worker: WorkerProcess, without: readonly VersionFailure[] = []): void {
    worker.state = 'joining';
    const { generation, models } = this.options.committed();
    const attempt = this.options.nextAttempt();
    this.#joins.set(worker.id, { attempt, generation, without });
    const kept = models.flatMap((model) => withoutFailed(model, without));
    const plan = { generation, models: kept, isCommitted: true as const };
    worker.send({ type: 'prepare', attempt, plan });
  }

  #onJoinMessage(worker: WorkerProcess, message: FromWorker): void {
    const join = this.#joins.get(worker.id);
    if (!join || !('attempt' in message) || message.attempt !== join.attempt) return;
    if (message.type === 'prepared') {
      worker.send({ type: 'commit', attempt: join.attempt });
    } else if (message.type === 'prepareFailed') {
      this.#joinWithout(worker, join, message.failures);
    } else {
      this.#onJoined(worker, join);
    }
  }

  /** What a worker cannot load any more, because its files are gone, must not keep it from the rest. */
  #joinWithout(worker: WorkerProcess, join: Join, failures: readonly VersionFailure[]): void {
    this.options.log.error(
      { worker: worker.id, failures },
      'worker joins without what it cannot load',
    );
    if (failures.length === 0) worker.kill();
    else this.#join(worker, [...join.without, ...failures]);
  }

  #onJoined(worker: WorkerProcess, { generation, without }: Join): void {
    if (generation < this.options.committed().generation) {
      this.#join(worker);
      return;
    }
    worker.state = 'joined';
    worker.isComplete = without.length === 0;
    this.options.onJoined(worker.id);
    this.#listen(worker);
  }

  #listen(worker: WorkerProcess): void {
    if (this.#address && worker.state === 'joined') {
      worker.send({ type: 'listen', ...this.#address });
    }
  }

  #onExit(worker: WorkerProcess, how: string): void {
    const state = how === 'code 0' ? 'drained' : 'exited';
    this.options.onEvent({ worker: worker.id, pid: worker.pid, state, reason: how });
    this.#joins.delete(worker.id);
    for (const report of this.#reports.values()) if (report.worker === worker.id) report.finish();
    if (!this.#closing) {
      this.options.log.error({ worker: worker.id, workerPid: worker.pid, how }, 'worker ended');
      this.options.onGone(worker.id);
      this.#restartLater(worker);
    }
    this.#wakeWaiters();
  }

  #restartLater(worker: WorkerProcess): void {
    const wasStable = Date.now() - worker.startedAt > STABLE_AFTER_MS;
    const crashes = wasStable ? 0 : (this.#crashes.get(worker.id) ?? 0);
    this.#crashes.set(worker.id, crashes + 1);
    const delay = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(crashes, 10), LONGEST_BACKOFF_MS);
    const restart = () => {
      this.#spawn(worker.id, worker.restarts + 1);
    };
    this.#backoffs.set(worker.id, setTimeout(restart, delay));
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}
