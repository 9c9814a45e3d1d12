import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess, type LogLine } from '../../src/cli/daemon-process.js';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';
import type { Status, VersionStatus, WorkerStatus } from '../../src/supervisor/status.js';
import { startedOn } from './affinity.js';
import { ArtifactStore } from './artifact-store.js';
import type { BenchModel } from './models.js';
import { processTree } from './processes.js';
import { BenchRepository } from './repository.js';

const PAUSE_MS = 100;
const COLLECTOR = fileURLToPath(new URL('collect-garbage.mjs', import.meta.url));

export interface DaemonOptions {
  models: readonly BenchModel[];
  workers: number;
  /** Cores for all of its processes. */
  cpus?: string | undefined;
  /** model.yaml by model name. */
  yaml?: Readonly<Record<string, string>>;
  /** Left to its owner; a fresh one, deleted at the end, if left out. */
  store?: ArtifactStore;
  /** model.yaml and flags beyond these are the daemon's defaults. */
  flags?: readonly string[];
  /** `collectGarbage` may be called. */
  collectable?: boolean;
}

/** A daemon over a repository of its own. Its owner calls `stop`. */
export class BenchDaemon {
  readonly #admin: AdminClient;

  private constructor(
    private readonly daemon: DaemonProcess,
    readonly repository: BenchRepository,
    private readonly ownStore: ArtifactStore | undefined,
  ) {
    this.#admin = new AdminClient(daemon.adminUrl);
  }

  /** Publishes the models as version 1 of themselves; resolves when they are served at full speed. */
  static async start(options: DaemonOptions): Promise<BenchDaemon> {
    const repository = new BenchRepository();
    for (const { name, folder } of options.models) repository.publish(name, 1, folder);
    for (const [name, text] of Object.entries(options.yaml ?? {})) repository.configure(name, text);
    const ownStore = options.store ? undefined : new ArtifactStore();
    const store = options.store ?? ownStore;
    const flags = [
      ...['--models', repository.path, '--workers', String(options.workers)],
      ...(store?.flags() ?? []),
      ...(options.flags ?? []),
    ];
    const environment = {
      ORT_DISABLE_TELEMETRY: '1',
      ...(options.collectable && { NODE_OPTIONS: `--import ${COLLECTOR}` }),
    };
    const daemon = await startedOn(options.cpus, () => DaemonProcess.start(flags, environment));
    const started = new BenchDaemon(daemon, repository, ownStore);
    while (await started.#isPrepacking()) await sleep(PAUSE_MS);
    return started;
  }

  /** A version that was loaded where nothing else served is slower for a while. */
  async #isPrepacking(): Promise<boolean> {
    const { models } = await this.status();
    return models.some(({ versions }) => versions.some(({ prepacking }) => prepacking));
  }

  get url(): string {
    return this.daemon.rpcUrl;
  }

  /** Of supervisor, workers and whatever else runs now. */
  pids(): number[] {
    return processTree(this.daemon.pid);
  }

  /** In all of its processes. Nobody says when it is done. */
  collectGarbage(): void {
    for (const pid of this.pids()) process.kill(pid, 'SIGUSR2');
  }

  async status(): Promise<Status> {
    return (await this.#admin.get('/status')) as Status;
  }

  async workers(): Promise<WorkerStatus[]> {
    return (await this.status()).workers;
  }

  async version(model: string): Promise<VersionStatus> {
    const found = (await this.status()).models.find(({ name }) => name === model);
    const version = found?.versions.find(({ version }) => version === found.active);
    if (!version) throw new Error(`${model} is not served: ${found?.problem ?? 'no version'}`);
    return version;
  }

  /** Rejects unless everything was committed. */
  async reload(): Promise<ReloadResult> {
    const result = (await this.#admin.post('/reload')) as ReloadResult;
    const refused = result.changes.find((change) => change.result !== 'committed');
    if (refused) throw new Error(`a reload was not committed: ${JSON.stringify(refused)}`);
    return result;
  }

  /** Log lines of one kind, oldest first; the daemon process keeps the newest thousand of all. */
  logged(msg: string): LogLine[] {
    return this.daemon.log.filter((line) => line.msg === msg);
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
    this.repository.delete();
    this.ownStore?.delete();
  }
}
