import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import type { Status, WorkerStatus } from '../../src/supervisor/status.js';
import { Random } from '../support/random.js';
import { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';
import { BodySource } from './bodies.js';
import { FrameSource } from './frames.js';
import { fuzzHttp, type HttpFuzzReport } from './http-fuzz.js';
import { MODELS } from './requests.js';
import { fuzzRpc, type RpcFuzzReport } from './rpc-fuzz.js';

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
  /** Resident bytes of the worker after a twentieth of it, and after all of it. */
  rssBytes: { early: number; end: number };
  /** What must not happen. */
  violations: string[];
}

const CORPUS = join(import.meta.dirname, 'corpus');
const HTTP_CONNECTIONS = 2;
const HTTP_SHARE = 0.1;
const EARLY_SHARE = 0.05;
const MOST_GROWTH_BYTES = 64 * 2 ** 20;

/** Sends generated frames and bodies to a real worker, and reports what came of them. */
export async function runServerFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const repository = await TestRepository.create();
  for (const name of MODELS) await repository.publish(name, 1);
  const store = join(repository.path, '.store');
  const flags = ['--models', repository.path, '--workers', '1', '--store', store];
  const daemon = await DaemonProcess.start(flags);
  try {
    return await fuzz(daemon, options);
  } finally {
    await daemon.stop();
    await repository.delete();
  }
}

async function fuzz(
  daemon: DaemonProcess,
  { count, seed, connections = 4 }: FuzzOptions,
): Promise<FuzzReport> {
  const began = performance.now();
  const admin = new AdminClient(daemon.adminUrl);
  const first = await onlyWorker(admin);
  const rpc = newRpcReport();
  const http = newHttpReport();
  const sendUpTo = (limit: number, firstSeed: number) =>
    Promise.all([
      ...seeds(firstSeed, connections).map((one) => sendFrames(daemon, rpc, limit, one)),
      ...seeds(firstSeed, HTTP_CONNECTIONS).map((one) => sendBodies(daemon, http, limit, one)),
    ]);
  await sendUpTo(EARLY_SHARE * count, seed);
  const early = await onlyWorker(admin);
  await sendUpTo(count, seed + connections);
  const end = await until('all connections are closed', async () => {
    const worker = await onlyWorker(admin);
    return worker.connections === 0 && worker.inflight === 0 && worker;
  });
  const rssBytes = { early: early.rssBytes, end: end.rssBytes };
  const violations = [...rpc.findings, ...http.findings].map(({ what }) => what);
  if (end.pid !== first.pid) violations.push('the worker was replaced');
  if (rssBytes.end > rssBytes.early + MOST_GROWTH_BYTES) violations.push('the worker has grown');
  return { seconds: (performance.now() - began) / 1000, seed, rpc, http, rssBytes, violations };
}

function seeds(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function sendFrames(
  { rpcUrl }: DaemonProcess,
  report: RpcFuzzReport,
  limit: number,
  seed: number,
): Promise<void> {
  const random = new Random(seed);
  const source = new FrameSource(random, corpus());
  return fuzzRpc(rpcUrl, source, random, report, () => report.frames >= limit * (1 - HTTP_SHARE));
}

function sendBodies(
  { rpcUrl }: DaemonProcess,
  report: HttpFuzzReport,
  limit: number,
  seed: number,
): Promise<void> {
  const base = rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
  const source = new BodySource(new Random(seed));
  return fuzzHttp(base, source, report, () => report.requests >= limit * HTTP_SHARE);
}

function newHttpReport(): HttpFuzzReport {
  return { requests: 0, statuses: new Map(), findings: [] };
}

function newRpcReport(): RpcFuzzReport {
  return { frames: 0, connections: 0, answers: new Map(), closes: new Map(), findings: [] };
}

/** Frames that were found, or thought, to be hard. */
function corpus(): Uint8Array[] {
  return readdirSync(CORPUS).map((name) => readFileSync(join(CORPUS, name)));
}

async function onlyWorker(admin: AdminClient): Promise<WorkerStatus> {
  const { workers } = (await admin.get('/status')) as Status;
  const [worker] = workers;
  if (!worker) throw new Error('there is no worker');
  return worker;
}
