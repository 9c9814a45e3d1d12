import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import type { Status, WorkerStatus } from '../../src/supervisor/status.js';
import { Random } from '../support/random.js';
import { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';
import { BodySource } from './bodies.js';
import { readCorpus, type Corpus } from './corpus.js';
import { FrameSource } from './frames.js';
import type { RpcFuzzReport } from './fuzzed-connection.js';
import { HttpFuzz, type HttpFuzzReport } from './http-fuzz.js';
import { Chance, MODELS } from './requests.js';
import { RpcFuzz } from './rpc-fuzz.js';
import { healthProblems, reportingTo, workerHealth, type WorkerHealth } from './worker-health.js';

export interface FuzzOptions {
  /** Frames and bodies together. */
  count: number;
  /** Determines what is sent, but not how the connections take turns. */
  seed: number;
  connections?: number;
}

export interface FuzzReport {
  seconds: number;
  seed: number;
  rpc: RpcFuzzReport;
  http: HttpFuzzReport;
  /** After a tenth, and after all of it. */
  health: { warm: WorkerHealth; end: WorkerHealth };
  /** What must not happen. */
  violations: string[];
}

const HTTP_CONNECTIONS = 4;
const HTTP_SHARE = 0.1;
const WARM_SHARE = 0.1;

/** Sends generated frames and bodies to a real worker, and reports what came of them. */
export async function runServerFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const repository = await TestRepository.create();
  for (const name of MODELS) await repository.publish(name, 1);
  const store = join(repository.path, '.store');
  const reports = join(repository.path, '.reports');
  await mkdir(reports);
  const flags = ['--models', repository.path, '--workers', '1', '--store', store];
  const daemon = await DaemonProcess.start(flags, reportingTo(reports));
  try {
    return await new ServerFuzz(daemon, reports, options).run();
  } finally {
    await daemon.stop();
    await repository.delete();
  }
}

class ServerFuzz {
  readonly #corpus: Corpus = readCorpus();
  readonly #admin: AdminClient;
  readonly #rpc: RpcFuzzReport = {
    ...{ frames: 0, connections: 0, findings: [] },
    ...{ answers: new Map<string, number>(), closes: new Map<number, number>() },
  };
  readonly #http: HttpFuzzReport = { requests: 0, statuses: new Map(), closes: 0, findings: [] };

  constructor(
    private readonly daemon: DaemonProcess,
    /** What the daemon's processes report to. */
    private readonly reports: string,
    private readonly options: FuzzOptions,
  ) {
    this.#admin = new AdminClient(daemon.adminUrl);
  }

  async run(): Promise<FuzzReport> {
    const { count, seed, connections = 8 } = this.options;
    const began = performance.now();
    const first = await this.#onlyWorker();
    await this.#replay();
    await this.#sendUpTo(WARM_SHARE * count, seed);
    const warm = await this.#health();
    await this.#sendUpTo(count, seed + connections);
    await this.#rpcFuzz(seed).probe();
    await this.#httpFuzz(seed).probe();
    const end = await this.#health();
    const found = [...this.#rpc.findings, ...this.#http.findings].map(({ what }) => what);
    const seconds = (performance.now() - began) / 1000;
    const violations = [...found, ...healthProblems(warm, end)];
    const last = await this.#onlyWorker();
    if (last.pid !== first.pid) violations.push('the worker was replaced');
    return { seconds, seed, rpc: this.#rpc, http: this.#http, health: { warm, end }, violations };
  }

  /** Each entry of the corpus as it is. */
  async #replay(): Promise<void> {
    const { frames, websocket, http } = this.#corpus;
    const rpcFuzz = this.#rpcFuzz(this.options.seed);
    for (const bytes of frames) await rpcFuzz.replayFrame(bytes);
    for (const bytes of websocket) await rpcFuzz.replayStream(bytes);
    const httpFuzz = this.#httpFuzz(this.options.seed);
    for (const bytes of http) await httpFuzz.replay(bytes);
  }

  async #sendUpTo(limit: number, firstSeed: number): Promise<void> {
    const { connections = 8 } = this.options;
    const areFramesOver = () => this.#rpc.frames >= limit * (1 - HTTP_SHARE);
    const areBodiesOver = () => this.#http.requests >= limit * HTTP_SHARE;
    await Promise.all([
      ...seeds(firstSeed, connections).map((seed) => this.#rpcFuzz(seed).run(areFramesOver)),
      ...seeds(firstSeed, HTTP_CONNECTIONS).map((seed) => this.#httpFuzz(seed).run(areBodiesOver)),
    ]);
  }

  #rpcFuzz(seed: number): RpcFuzz {
    const random = new Chance(seed);
    const source = new FrameSource(random, this.#corpus.frames);
    return new RpcFuzz(this.daemon.rpcUrl, source, random, this.#rpc);
  }

  #httpFuzz(seed: number): HttpFuzz {
    const source = new BodySource(new Random(seed));
    const base = this.daemon.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
    return new HttpFuzz(base, source, this.#corpus.http, this.#http);
  }

  /** Once the worker has nothing to do any more; rejects if that never comes. */
  async #health(): Promise<WorkerHealth> {
    const { pid } = await until('no connection is open and no request in flight', async () => {
      const worker = await this.#onlyWorker();
      const isIdle = worker.connections === 0 && worker.inflight === 0;
      return worker.state === 'ready' && isIdle && worker;
    });
    return workerHealth(pid, this.reports);
  }

  async #onlyWorker(): Promise<WorkerStatus> {
    const { workers } = (await this.#admin.get('/status')) as Status;
    const [worker] = workers;
    if (!worker) throw new Error('there is no worker');
    return worker;
  }
}

function seeds(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
