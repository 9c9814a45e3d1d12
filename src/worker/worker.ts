import type { AccessSettings } from '../access/settings.js';
import type { Logger } from '../telemetry/log.js';
import { allowPromptThreads, Engine, shortenTimeSlice } from '../native/engine.js';
import { PrepareError, RestoreError } from '../registry/failures.js';
import type { BreakerState } from '../registry/circuit-breaker.js';
import { Registry } from '../registry/registry.js';
import type { Version } from '../registry/version.js';
import { DataPlane } from '../server/data-plane.js';
import { reportGpus } from './gpu-report.js';
import { LifeSign } from './life-sign.js';
import { WeightClient } from './weight-client.js';
import type {
  FromWorker,
  ToWorker,
  VersionReport,
  WorkerReport,
  WorkerSettings,
} from './messages.js';

type Prepare = Extract<ToWorker, { type: 'prepare' }>;

/** One worker process: wires the engine, the registry and the data plane to the supervisor's messages. */
export class Worker {
  readonly #engine: Engine;
  readonly #registry: Registry;
  readonly #weights: WeightClient;
  readonly #dataPlane: DataPlane;
  #drained: Promise<void> | undefined;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly send: (message: FromWorker) => void,
    private readonly log: Logger,
  ) {
    const { device, drainTimeoutMs, limits, busyPollMs, access } = settings;
    shortenTimeSlice(); // before the engine starts its threads
    if (settings.realTime) allowPromptThreads();
    this.#engine = new Engine(settings.ortLibrary);
    this.#weights = new WeightClient(send);
    this.#registry = new Registry(this.#engine, {
      device,
      drainTimeoutMs,
      ...(settings.sharesWeights && { weights: this.#weights }),
      onBreakerChange: (version, state) => this.#onBreakerChange(version, state),
    });
    const sign = new LifeSign(() => this.send({ type: 'alive' }));
    this.#dataPlane = new DataPlane(this.#registry, limits, busyPollMs, access, () => {
      sign.give();
      this.#engine.updatePriority();
    });
    this.log.debug({ onnxRuntime: this.#engine.onnxRuntimeVersion }, 'worker started');
    this.send({ type: 'started' });
  }

  async handle(message: ToWorker): Promise<void> {
    // It holds for those whom a worker that drains still serves.
    if (message.type === 'access') {
      this.#setAccess(message.access);
      return;
    }
    // So that a load that is under way ends, whatever it waits for.
    if (message.type === 'weights') {
      this.#weights.onAnswer(message.request, message);
      return;
    }
    if (this.#drained) return this.#drained;
    switch (message.type) {
      case 'start':
        throw new Error('a worker is started once');
      case 'prepare':
        return this.#prepare(message);
      case 'commit': {
        this.#commit(message.attempt);
        return;
      }
      case 'abort':
        return this.#abort(message.attempt);
      case 'listen':
        return this.#listen(message.host, message.port);
      case 'report': {
        this.send({ type: 'report', request: message.request, report: await this.#report() });
        return;
      }
      case 'heartbeat': {
        this.#engine.updatePriority(); // whatever it is that keeps this thread busy
        this.send({ type: 'alive' });
        return;
      }
      case 'event': {
        this.#dataPlane.subscriptions.publish(message.event);
        return;
      }
      case 'drain':
        return this.drain();
    }
  }

  /** Finishes what is in flight, frees everything. Idempotent; the process can exit then. */
  drain(): Promise<void> {
    return (this.#drained ??= this.#drain());
  }

  async #drain(): Promise<void> {
    this.#registry.refuseWaiting();
    await this.#dataPlane.drain(this.settings.drainTimeoutMs);
    await this.#registry.close();
    this.#engine.close();
    this.log.info('worker drained');
  }

  async #prepare({ attempt, plan, unloadsFirst }: Prepare): Promise<void> {
    try {
      const fresh = await this.#registry.prepare(attempt, plan, unloadsFirst);
      for (const { name, number, problem } of fresh) {
        if (problem !== undefined) this.log.warn({ model: name, version: number }, problem);
      }
      this.send({ type: 'prepared', attempt });
    } catch (error) {
      if (!(error instanceof PrepareError)) throw error;
      this.send({ type: 'prepareFailed', attempt, failures: error.failures });
      if (error instanceof RestoreError) this.#giveUp(error);
    }
  }

  #setAccess(access: AccessSettings): void {
    try {
      this.#dataPlane.setAccess(access);
    } catch (error) {
      this.log.error({ reason: (error as Error).message }, 'the old certificate stays');
    }
  }

  async #abort(attempt: number): Promise<void> {
    try {
      await this.#registry.abort(attempt);
    } catch (error) {
      if (!(error instanceof RestoreError)) throw error;
      this.#giveUp(error);
    }
  }

  #giveUp({ message }: RestoreError): void {
    this.send({ type: 'unfit', reason: message });
  }

  #commit(attempt: number): void {
    const flipMs = this.#registry.commit(attempt);
    this.send({ type: 'committed', attempt, flipMs });
  }

  async #listen(host: string, port: number): Promise<void> {
    try {
      await this.#dataPlane.listen(host, port);
      this.send({ type: 'listening' });
    } catch (error) {
      this.send({ type: 'listenFailed', reason: (error as Error).message });
    }
  }

  #onBreakerChange({ name: model, number: version }: Version, state: BreakerState): void {
    this.log.warn({ model, version }, `its breaker is ${state} now`);
    this.send({ type: 'breaker', model, version, state });
  }

  /** Never waits for a load: what it asks of the native side has a thread of its own. */
  async #report(): Promise<WorkerReport> {
    const versions = [...new Set(this.#registry.allVersions())];
    const reports = await Promise.all(versions.map(reportVersion));
    return {
      generation: this.#registry.current.generation,
      pid: process.pid,
      connections: this.#dataPlane.connections,
      inflight: this.#dataPlane.inflight,
      limited: this.#dataPlane.limited,
      ...countRuns(versions),
      busyMs: performance.eventLoopUtilization().active - this.#dataPlane.busyPoll.idleMs,
      gpus: await reportGpus(
        () => this.#engine.gpus(),
        versions.map(({ plan }, index) => ({
          device: plan.options.device ?? this.settings.device,
          deviceBytes: reports[index]?.memory.deviceBytes,
        })),
      ),
      versions: reports,
    };
  }
}

async function reportVersion(version: Version): Promise<VersionReport> {
  const { problem, statistics, breaker } = version;
  return {
    model: version.name,
    version: version.number,
    key: version.plan.key,
    state: version.state,
    bytes: version.mappedBytes,
    memory: await version.memory(),
    ...(statistics && { statistics }),
    ...(version.isUnpacked ? { prepacking: true as const } : {}),
    ...version.times,
    ...(breaker && { breaker: { state: breaker.state, openings: breaker.openings } }),
    ...(problem === undefined ? {} : { reason: problem }),
  };
}

/** What its leases say: as many runs as a version can have at once are under way, the rest waits. */
function countRuns(versions: readonly Version[]): { running: number; queued: number } {
  let running = 0;
  let queued = 0;
  for (const { leases, plan } of versions) {
    const { instances, batching } = plan.options;
    const atOnce = instances * (batching?.maxBatch ?? 1);
    running += Math.min(leases, atOnce);
    queued += Math.max(0, leases - atOnce);
  }
  return { running, queued };
}
