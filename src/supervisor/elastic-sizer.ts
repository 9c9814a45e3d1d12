import type { Logger } from '../telemetry/log.js';
import type { WorkerReport } from '../worker/messages.js';
import { decideSize, type ElasticPolicy, type LoadSample } from './elastic.js';
import type { WorkerPool } from './worker-pool.js';

export interface ElasticSettings {
  min: number;
  max: number;
  /** Milliseconds. */
  upAfter: number;
  downAfter: number;
}

export interface ElasticSizerOptions {
  settings: ElasticSettings;
  pool: Pick<WorkerPool, 'workers' | 'report' | 'add' | 'remove'>;
  /** No worker is taken out meanwhile. */
  isSwapping(): boolean;
  log: Logger;
}

interface Reported {
  id: number;
  report: WorkerReport;
}

const LONGEST_INTERVAL_MS = 1_000;
/** A decision is made from two samples at least. */
const FEWEST_SAMPLES = 2;

/** Watches the workers' load, and adds and removes workers as the policy says. */
export class ElasticSizer {
  readonly #intervalMs: number;
  readonly #policy: ElasticPolicy;
  #history: readonly LoadSample[] = [];
  /** By process: how long its JavaScript thread had been busy at the last sample. */
  #busyMs: ReadonlyMap<number, number> = new Map();
  #sampledAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: ElasticSizerOptions) {
    const { min, max, upAfter, downAfter } = options.settings;
    this.#intervalMs = Math.min(LONGEST_INTERVAL_MS, upAfter / FEWEST_SAMPLES);
    const samples = (ms: number) => Math.max(FEWEST_SAMPLES, Math.ceil(ms / this.#intervalMs));
    this.#policy = { min, max, upSamples: samples(upAfter), downSamples: samples(downAfter) };
  }

  /** Takes the next sample only when the last one, and what followed from it, is done. */
  start(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.#tick()
        .catch((error: unknown) => this.#onFailure(error as Error))
        .then(() => this.start());
    }, this.#intervalMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #tick(): Promise<void> {
    const reported = await this.#reports();
    if (!reported) {
      this.#history = [];
      return;
    }
    const sample = this.#sample(reported);
    const mayShrink = !this.options.isSwapping();
    const { change, history } = decideSize(this.#history, sample, this.#policy, mayShrink);
    this.#history = history;
    if (change === 1) await this.#grow(sample);
    if (change === -1) this.#shrink(sample, reported);
  }

  /** Of all ready workers; nothing while some are not ready yet, or do not answer. */
  async #reports(): Promise<Reported[] | undefined> {
    const workers = this.options.pool.workers.filter(({ state }) => state !== 'failed');
    if (workers.length === 0 || workers.some(({ state }) => state !== 'ready')) return undefined;
    const reports = await Promise.all(
      workers.map(async ({ id }) => ({ id, report: await this.options.pool.report(id) })),
    );
    const there = reports.filter((one): one is Reported => one.report !== undefined);
    return there.length === workers.length ? there : undefined;
  }

  #sample(reported: readonly Reported[]): LoadSample {
    const now = performance.now();
    const elapsedMs = now - this.#sampledAt;
    const sum = (of: (report: WorkerReport) => number) =>
      reported.reduce((total, { report }) => total + of(report), 0);
    const busyMs = sum(({ pid, busyMs }) => busyMs - (this.#busyMs.get(pid) ?? busyMs));
    this.#sampledAt = now;
    this.#busyMs = new Map(reported.map(({ report }) => [report.pid, report.busyMs]));
    return {
      workers: reported.length,
      queued: sum(({ queued }) => queued),
      running: sum(({ running }) => running),
      busyThreads: busyMs / elapsedMs,
    };
  }

  async #grow(sample: LoadSample): Promise<void> {
    this.options.log.info({ ...sample }, 'adding a worker: requests queue');
    await this.options.pool.add();
  }

  #onFailure({ message }: Error): void {
    if (!this.#isClosed) this.options.log.error({ reason: message }, 'no worker could be added');
  }

  /** The one with the fewest connections drains. */
  #shrink(sample: LoadSample, reported: readonly Reported[]): void {
    const fewest = (a: Reported, b: Reported) => a.report.connections - b.report.connections;
    const [victim] = [...reported].sort(fewest);
    if (!victim) return;
    this.options.log.info({ ...sample, worker: victim.id }, 'removing a worker: it is not needed');
    void this.options.pool.remove(victim.id);
  }
}
