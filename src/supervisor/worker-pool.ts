import type { Device } from '../config/device.js';
import type { GenerationPlan } from '../registry/plan.js';
import { WarmswapError } from '../rpc/errors.js';
import type { ModelEvent, WorkerEvent } from '../rpc/events.js';
import type { Logger } from '../telemetry/log.js';
import type { FromWorker, ToWorker, WorkerReport, WorkerSettings } from '../worker/messages.js';
import { Heartbeats } from './heartbeats.js';
import { crashesInARow, LONGEST_BACKOFF_MS, restartDelay } from './restart-policy.js';
import { placeWorker } from './worker-placement.js';
import { WorkerJoins } from './worker-joins.js';
import { WorkerProcess } from './worker-process.js';
import { WorkerReports } from './worker-reports.js';

export interface WorkerPoolOptions {
  size: number;
  /** Over which the workers are spread. */
  devices: readonly Device[];
  /** What a worker that starts now gets. */
  settings(): Omit<WorkerSettings, 'id' | 'device'>;
  health: WorkerHealth;
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
  /** The worker of this process wants weights that others use, too, or tells what became of that. */
  onWeights(pid: number, message: WeightsMessage): void;
  /** A worker's process has ended. */
  onEnded(pid: number): void;
  /** A worker keeps requests away from a version that fails, or does so no more. */
  onBreaker(event: Pick<ModelEvent, 'model' | 'version' | 'state' | 'worker'>): void;
  log: Logger;
}

export type WeightsMessage = Extract<
  FromWorker,
  { type: 'borrowWeights' | 'returnWeights' | 'weightsSettled' }
>;

export interface Exchange {
  replacement: number;
  ended: Promise<void>;
}

/** When a worker counts as hung or as crashing in a loop; milliseconds. */
export interface WorkerHealth {
  heartbeatInterval: number;
  heartbeatTimeout: number;
  /** To start and load what is committed; and to listen. */
  joinTimeout: number;
  crashLimit: number;
  crashWindow: number;
}

/** Beyond the drain itself: to unload and to exit. */
const EXIT_GRACE_MS = 5_000;

/** The worker processes: starts them, brings them to the committed generation, restarts the dead. */
export class WorkerPool {
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #backoffs = new Map<number, NodeJS.Timeout>();
  /** By worker: crashes in a row. */
  readonly #crashes = new Map<number, number>();
  readonly #reports = new WorkerReports();
  readonly #joins: WorkerJoins;
  readonly #heartbeats: Heartbeats;
  readonly #waiters = new Set<() => void>();
  #address: { host: string; port: number } | undefined;
  #listenFailure: string | undefined;
  #closing = false;

  constructor(private readonly options: WorkerPoolOptions) {
    const { health } = options;
    this.#joins = new WorkerJoins({
      committed: () => options.committed(),
      nextAttempt: () => options.nextAttempt(),
      onJoined: (worker, isComplete) => this.#onJoined(worker, isComplete),
      log: options.log,
    });
    this.#heartbeats = new Heartbeats({
      intervalMs: health.heartbeatInterval,
      timeoutMs: health.heartbeatTimeout,
      workers: () => this.workers.filter(answersHeartbeats).map(({ id }) => id),
      ask: (id) => this.send(id, { type: 'heartbeat' }),
      onHung: (id) => this.#workers.get(id)?.kill('did not answer the heartbeat'),
    });
  }

  get workers(): readonly WorkerProcess[] {
    return [...this.#workers.values()].sort((a, b) => a.id - b.id);
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
    for (let id = 0; id < this.options.size; id++) this.#spawn(id, 0, this.#freeDevice());
    this.#heartbeats.start();
    await this.#until(() => this.workers.every((worker) => worker.isMember || worker.hasEnded));
    if (this.members.length === 0) throw new Error('no worker could start; see its log line above');
  }

  /** Lets the workers listen, now and after each restart. Resolves when each does or has ended, rejects if none does. */
  async open(host: string, port: number): Promise<void> {
    this.#address = { host, port };
    for (const worker of this.workers) this.#listen(worker);
    const isSettled = (worker: WorkerProcess) => worker.state === 'ready' || worker.hasEnded;
    await this.#until(() => this.#listenFailure !== undefined || this.workers.every(isSettled));
    if (this.workers.some(({ state }) => state === 'ready')) return;
    throw new Error(this.#listenFailure ?? 'every worker ended; see their log lines above');
  }

  send(id: number, message: ToWorker): void {
    this.#workers.get(id)?.send(message);
  }

  /** Who may come in has changed. */
  tellAccess(): void {
    const { access } = this.options.settings();
    for (const worker of this.workers) worker.send({ type: 'access', access });
  }

  /**
   * Puts another worker into the place of one that is stuck. Where no other serves, it serves until the
   * other one is ready, or has ended before.
   */
  replace(id: number): void {
    const worker = this.#workers.get(id);
    if (!worker || worker.isStuck) return;
    worker.isStuck = true;
    const drain = () => worker.drain(this.#drainTimeoutMs);
    const isAlone = !this.workers.some(({ isMember, listens }) => isMember && listens);
    if (isAlone && worker.state === 'ready') void this.exchange(id).catch(drain);
    else void drain();
  }

  /** Has a member unload what is not committed any more, and load what is; it joins again then. */
  rejoin(id: number): void {
    const worker = this.#workers.get(id);
    if (!worker?.isMember) return;
    worker.setDeadline(this.options.health.joinTimeout, 'took too long to join again');
    this.#joins.begin(worker);
  }

  /** Starts one worker more and gives its id once it is ready; rejects with UNAVAILABLE if it ends before. */
  async add(device = this.#freeDevice()): Promise<number> {
    const worker = this.#spawn(this.#freeId(), 0, device);
    worker.isKept = false;
    await this.#until(() => worker.state === 'ready' || worker.hasEnded);
    if (worker.hasEnded) {
      throw new WarmswapError('UNAVAILABLE', `worker ${worker.id} ended before it was ready`);
    }
    worker.isKept = true;
    return worker.id;
  }

  /** Takes a worker out: it is in no swap from now on. Resolves when it has drained and ended. */
  async remove(id: number): Promise<void> {
    const worker = this.#workers.get(id);
    if (!worker) return;
    worker.isKept = false;
    this.#forgetRestart(id);
    this.options.onGone(id);
    if (worker.hasEnded) this.#workers.delete(id);
    else await worker.drain(this.#drainTimeoutMs);
  }

  /**
   * Puts a new worker into the place of a ready one, on its device, which drains once the new one is ready. Gives the new
   * id then, and when the old one has ended. Rejects with NOT_FOUND, FAILED_PRECONDITION or UNAVAILABLE.
   */
  async exchange(id: number): Promise<Exchange> {
    const { state, device } = this.#workers.get(id) ?? {};
    const ids = this.workers.map((worker) => worker.id).join(', ');
    if (!state) throw new WarmswapError('NOT_FOUND', `there is no worker ${id}; workers: ${ids}`);
    if (state !== 'ready') {
      throw new WarmswapError('FAILED_PRECONDITION', `worker ${id} is not ready, but ${state}`);
    }
    const replacement = await this.add(device);
    return { replacement, ended: this.remove(id) };
  }

  /** Starts the workers that were given up. */
  retryFailed(): void {
    for (const { id, state, restarts, device } of this.workers) {
      if (state !== 'failed') continue;
      this.#forgetRestart(id);
      this.#spawn(id, restarts + 1, device);
    }
  }

  /** What a worker says of itself; nothing if it cannot answer, or does not in time. */
  async report(id: number): Promise<WorkerReport | undefined> {
    const worker = this.#workers.get(id);
    return worker && this.#reports.ask(worker);
  }

  /** Drains and ends all workers. */
  async close(): Promise<void> {
    this.#stopRestarting();
    await Promise.all(this.workers.map((worker) => worker.drain(this.#drainTimeoutMs)));
  }

  /**
   * Ends the workers with these process ids at once, for a fault that is not theirs. Others come in their
   * places, as if they had not crashed before.
   */
  killBlameless(pids: readonly number[], reason: string): void {
    for (const worker of this.workers) {
      if (worker.hasEnded || !pids.includes(worker.pid)) continue;
      this.#crashes.delete(worker.id);
      worker.kill(reason);
    }
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#stopRestarting();
    for (const worker of this.workers) worker.kill();
  }

  get #drainTimeoutMs(): number {
    return this.options.settings().drainTimeoutMs + EXIT_GRACE_MS;
  }

  #stopRestarting(): void {
    this.#closing = true;
    this.#heartbeats.close();
    for (const timer of this.#backoffs.values()) clearTimeout(timer);
    this.#backoffs.clear();
  }

  #freeId(): number {
    let id = 0;
    while (this.#workers.has(id)) id++;
    return id;
  }

  #freeDevice(): Device {
    const kept = this.workers.filter(({ isKept }) => isKept);
    return placeWorker(
      this.options.devices,
      kept.map(({ device }) => device),
    );
  }

  #spawn(id: number, restarts: number, device: Device): WorkerProcess {
    if (this.#closing) throw new WarmswapError('UNAVAILABLE', 'the daemon is shutting down');
    this.#backoffs.delete(id);
    const worker = new WorkerProcess(id, restarts, device, {
      onMessage: (from, message) => this.#onMessage(from, message),
      onExit: (from, how) => this.#onExit(from, how),
    });
    this.#workers.set(id, worker);
    this.options.onEvent({ worker: id, pid: worker.pid, state: 'started' });
    worker.setDeadline(this.options.health.joinTimeout, 'took too long to become ready');
    worker.send({ type: 'start', settings: { ...this.options.settings(), id, device } });
    return worker;
  }

  #onMessage(worker: WorkerProcess, message: FromWorker): void {
    // The exit of a process may overtake its last messages.
    if (worker.hasEnded) return;
    switch (message.type) {
      case 'started':
        if (worker.state === 'starting') this.#joins.begin(worker);
        break;
      case 'prepared':
      case 'prepareFailed':
      case 'committed':
        if (worker.state === 'joining') this.#joins.onMessage(worker, message);
        else this.options.onSwapMessage(worker.id, message);
        break;
      case 'unfit':
        this.options.log.error({ worker: worker.id, reason: message.reason }, 'worker is replaced');
        this.replace(worker.id);
        break;
      case 'listening':
        this.#onListening(worker);
        break;
      case 'listenFailed':
        this.options.log.error({ worker: worker.id }, message.reason);
        this.#listenFailure = message.reason;
        worker.kill(message.reason);
        break;
      case 'report':
        this.#reports.onReport(message.request, message.report);
        break;
      case 'alive':
        this.#heartbeats.reset(worker.id);
        break;
      case 'breaker':
        this.#onBreaker(worker.id, message);
        break;
      case 'borrowWeights':
      case 'returnWeights':
      case 'weightsSettled':
        this.options.onWeights(worker.pid, message);
    }
    this.#wakeWaiters();
  }

  /** That it lets a request through to try changes nothing for clients. */
  #onBreaker(
    worker: number,
    { model, version, state }: Extract<FromWorker, { type: 'breaker' }>,
  ): void {
    if (state === 'halfOpen') return;
    this.options.onBreaker({
      ...{ model, version, worker },
      state: state === 'open' ? 'broken' : 'recovered',
    });
  }

  #onJoined(worker: WorkerProcess, isComplete: boolean): void {
    worker.clearDeadline();
    worker.state = worker.listens ? 'ready' : 'joined';
    worker.isComplete = isComplete;
    this.options.onJoined(worker.id);
    this.#listen(worker);
  }

  #listen(worker: WorkerProcess): void {
    if (!this.#address || worker.state !== 'joined') return;
    worker.setDeadline(this.options.health.joinTimeout, 'took too long to listen');
    worker.send({ type: 'listen', ...this.#address });
  }

  #onListening(worker: WorkerProcess): void {
    if (worker.state !== 'joined') return;
    worker.clearDeadline();
    worker.state = 'ready';
    worker.readySince = performance.now();
    this.options.onEvent({ worker: worker.id, pid: worker.pid, state: 'ready' });
    this.options.log.info({ worker: worker.id, workerPid: worker.pid }, 'worker ready');
  }

  #onExit(worker: WorkerProcess, how: string): void {
    const state = how === 'code 0' ? 'drained' : 'exited';
    this.options.onEvent({ worker: worker.id, pid: worker.pid, state, reason: how });
    this.#joins.forget(worker.id);
    this.#heartbeats.reset(worker.id);
    this.#reports.onGone(worker.id);
    this.options.onEnded(worker.pid);
    if (!this.#closing) this.#onLost(worker, how);
    this.#wakeWaiters();
  }

  #onLost(worker: WorkerProcess, how: string): void {
    const level = worker.wasDrained ? 'info' : 'error';
    this.options.log[level]({ worker: worker.id, workerPid: worker.pid, how }, 'worker ended');
    this.options.onGone(worker.id);
    if (worker.isKept) this.#restartLater(worker, how);
    else this.#workers.delete(worker.id);
  }

  #restartLater(worker: WorkerProcess, how: string): void {
    const { crashLimit, crashWindow: crashWindowMs } = this.options.health;
    const policy = { crashLimit, crashWindowMs };
    const before = worker.wasDrained ? 0 : (this.#crashes.get(worker.id) ?? 0);
    const { readySince } = worker;
    const readyForMs = readySince === undefined ? undefined : performance.now() - readySince;
    const crashes = crashesInARow(before, { readyForMs }, policy);
    this.#crashes.set(worker.id, crashes);
    const delay = restartDelay(crashes, policy, Math.random());
    if (delay === undefined)
      this.#giveUp(worker, `crashed ${crashes} times in a row; last: ${how}`);
    else this.#restartIn(worker, delay);
  }

  /** The others serve on. If there are none, it is tried again after all, slowly. */
  #giveUp(worker: WorkerProcess, reason: string): void {
    worker.state = 'failed';
    worker.reason = reason;
    this.options.log.error(
      { worker: worker.id, reason },
      'worker given up until reload or restart',
    );
    if (this.workers.every(({ state }) => state === 'failed')) {
      this.#restartIn(worker, LONGEST_BACKOFF_MS);
    }
  }

  #restartIn({ id, restarts, device }: WorkerProcess, delayMs: number): void {
    const restart = () => void this.#spawn(id, restarts + 1, device);
    this.#backoffs.set(id, setTimeout(restart, delayMs));
  }

  /** It starts afresh if it starts again. */
  #forgetRestart(id: number): void {
    clearTimeout(this.#backoffs.get(id));
    this.#backoffs.delete(id);
    this.#crashes.delete(id);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

/** Those whose JavaScript thread has begun, and has not been asked to end. */
function answersHeartbeats({ state, isMember }: WorkerProcess): boolean {
  return isMember || state === 'joining';
}
