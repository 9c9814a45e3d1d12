import { setTimeout as sleep } from 'node:timers/promises';
import { ReconnectingLoad } from '../support/reconnecting-load.js';
import { isAlive } from '../support/processes.js';
import { Random } from '../support/random.js';
import { until } from '../support/until.js';
import { LibraryLoad } from './library-load.js';
import { Swaps } from './swaps.js';
import { VictimDaemon } from './victim-daemon.js';

export interface ChaosOptions {
  seconds: number;
  /** Determines what is killed, and when. */
  seed: number;
  workers?: number;
  clients?: number;
}

export interface ChaosReport {
  seconds: number;
  seed: number;
  workerKills: number;
  supervisorKills: number;
  slowestRecoveryMs: number;
  swaps: { committed: number; aborted: number; unanswered: number };
  /** Clients of the bare protocol. */
  requests: number;
  lost: number;
  /** A client that uses the library. */
  library: { requests: number; failed: number };
  /** What must not happen. */
  violations: string[];
}

/** Of a client between two requests: packer and workers that start need the processor, too. */
const CLIENT_PAUSE_MS = 3;
/** Between a recovery and the next kill. */
const LONGEST_PAUSE_MS = 1_500;
const RECOVERY_LIMIT_MS = 60_000;
/** One kill of each kind at least. */
const FEWEST_ROUNDS = 2;
const SUPERVISOR_SHARE = 0.3;

/** Kills workers and supervisor of a daemon under load, while it swaps; reports what came of it. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seconds, seed, workers = 2, clients = 8 } = options;
  const daemon = await VictimDaemon.start(workers);
  const load = new ReconnectingLoad(() => daemon.url, clients, CLIENT_PAUSE_MS);
  const library = await LibraryLoad.start(daemon.url, CLIENT_PAUSE_MS);
  const swaps = new Swaps(daemon.admin);
  const chaos = new Chaos(daemon, swaps, new Random(seed));
  try {
    await chaos.run(seconds * 1000);
  } catch (error) {
    chaos.violations.push((error as Error).message);
  }
  await Promise.all([swaps.stop(), load.stop(), library.stop()]);
  chaos.checkLoad(load);
  await chaos.checkEnd(await daemon.stop());
  const { committed, aborted, unanswered } = swaps;
  return {
    ...{ seconds, seed, ...chaos.counts },
    swaps: { committed, aborted, unanswered },
    requests: load.requests,
    lost: load.lost.length,
    library: { requests: library.requests, failed: library.failures.length },
    violations: [...chaos.violations, ...library.failures.map((it) => `library: ${it}`)],
  };
}

class Chaos {
  readonly counts = { workerKills: 0, supervisorKills: 0, slowestRecoveryMs: 0 };
  readonly violations: string[] = [];
  /** Ports of clients whose worker was killed. */
  readonly #doomed = new Set<number>();

  constructor(
    private readonly daemon: VictimDaemon,
    private readonly swaps: Swaps,
    private readonly random: Random,
  ) {}

  async run(durationMs: number): Promise<void> {
    const endAt = performance.now() + durationMs;
    for (let round = 0; round < FEWEST_ROUNDS || performance.now() < endAt; round++) {
      await sleep(this.random.between(0, LONGEST_PAUSE_MS));
      const isSupervisor = this.random.between(0, 1) < SUPERVISOR_SHARE;
      // A short run begins with one kill of each kind.
      if (round === 1 || (round >= FEWEST_ROUNDS && isSupervisor)) await this.#killSupervisor();
      else await this.#killWorker();
      await this.#recover();
    }
  }

  /** Only connections of killed workers may have closed before an answer. */
  checkLoad({ lost, errors, wrong }: ReconnectingLoad): void {
    for (const { port, closeCode } of lost) {
      if (this.#doomed.has(port)) continue;
      this.violations.push(`a request was lost (${closeCode}) whose worker was not killed`);
    }
    this.violations.push(...errors.map(({ code, message }) => `${code}: ${message}`), ...wrong);
  }

  async checkEnd(code: number | null): Promise<void> {
    if (code !== 0) this.violations.push(`the daemon ended with ${code}`);
    await until('no worker is left', () => ![...this.daemon.workerPids].some(isAlive)).catch(
      (error: unknown) => this.violations.push(String(error)),
    );
  }

  async #killWorker(): Promise<void> {
    const { workers } = await this.daemon.status();
    const victim = this.random.oneOf(workers.filter(({ state }) => state !== 'gone'));
    if (!victim) return;
    for (const port of await this.daemon.killWorker(victim.pid)) this.#doomed.add(port);
    this.counts.workerKills++;
  }

  async #killSupervisor(): Promise<void> {
    await this.daemon.killSupervisor();
    this.counts.supervisorKills++;
  }

  /** Waits until every worker serves what was committed. */
  async #recover(): Promise<void> {
    const began = performance.now();
    await this.swaps.pause();
    const { generation, version } = await until(
      'every worker is back',
      () => this.#settled(),
      RECOVERY_LIMIT_MS,
    );
    const refuted = this.swaps.refute(generation, version);
    if (refuted !== undefined) this.violations.push(refuted);
    this.swaps.resume();
    const took = Math.round(performance.now() - began);
    this.counts.slowestRecoveryMs = Math.max(this.counts.slowestRecoveryMs, took);
  }

  async #settled(): Promise<{ generation: number; version: number } | false> {
    const { generation, workers, models } = await this.daemon.status();
    const agree = workers.every((w) => w.state === 'ready' && w.generation === generation);
    return agree && { generation, version: models[0]?.active ?? 0 };
  }
}
