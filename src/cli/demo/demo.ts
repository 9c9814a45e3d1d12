import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../client/index.js';
import type { Status } from '../../supervisor/status.js';
import { AdminClient } from '../admin-client.js';
import { DaemonProcess } from '../daemon-process.js';
import { classifierWorkload } from './classifier.js';
import { edgesWorkload } from './edges.js';
import { latencyLines, memoryLines, samplesOf, type Phase } from './report.js';
import { SteadyLoad } from './steady-load.js';
import type { Workload } from './workload.js';

export interface DemoFlags {
  assets?: string;
  output: string;
  seconds: number;
}

/** Where the assets lie in a checkout of the project, when they do. */
const ASSETS_BESIDE = '../shared';
const WORKERS = 2;
const CLIENTS = 4;
/** Requests sent this long after the flip still belong to the swap: the old version drains. */
const SETTLE_MS = 200;

/**
 * `warmswap demo`: serves a model with two workers under a steady load, publishes the next version
 * and reloads meanwhile, then reports. Fails if a single request failed.
 */
export async function runDemo(flags: DemoFlags): Promise<void> {
  const workload = await chooseWorkload(flags.assets);
  const repository = await mkdtemp(join(tmpdir(), 'warmswap-demo-'));
  try {
    await publishInitial(workload, repository);
    const daemon = await DaemonProcess.start([
      ...['--models', repository, '--store', join(repository, '.store')],
      ...['--workers', String(WORKERS), '--log-level', 'info'],
    ]);
    try {
      await swapUnderLoad(workload, repository, daemon, flags);
    } finally {
      await daemon.stop();
    }
  } finally {
    await rm(repository, { recursive: true });
  }
}

async function chooseWorkload(assets: string | undefined): Promise<Workload> {
  const directory = assets ?? ASSETS_BESIDE;
  const isThere = existsSync(join(directory, 'models', 'magika'));
  if (assets !== undefined && !isThere) throw new Error(`there is no models/magika in ${assets}`);
  return isThere ? classifierWorkload(resolve(directory)) : edgesWorkload();
}

async function publishInitial(workload: Workload, repository: string): Promise<void> {
  await mkdir(join(repository, workload.model));
  await writeFile(join(repository, workload.model, 'model.yaml'), workload.modelYaml);
  for (const version of workload.initialVersions) await publish(workload, repository, version);
}

/** As any publisher should: complete under a temporary name, then renamed into place. */
async function publish(workload: Workload, repository: string, version: number): Promise<void> {
  const temporary = join(repository, `.publishing-${version}`);
  await cp(join(workload.source, String(version)), temporary, { recursive: true });
  await rename(temporary, join(repository, workload.model, String(version)));
}

async function swapUnderLoad(
  workload: Workload,
  repository: string,
  daemon: DaemonProcess,
  flags: DemoFlags,
): Promise<void> {
  console.log(`Warmswap demo: ${workload.title}`);
  console.log(
    `daemon ${daemon.pid} with ${WORKERS} workers at ${daemon.rpcUrl}; ` +
      `${CLIENTS} clients, ${workload.ratePerClient} requests a second each\n`,
  );
  const load = await SteadyLoad.start(workload, daemon.rpcUrl, CLIENTS);
  const started = performance.now();
  await sleep(flags.seconds * 1000);
  const published = performance.now();
  await publish(workload, repository, workload.nextVersion);
  const asked = Date.now();
  daemon.signal('SIGHUP');
  await daemon.logged(({ msg, time }) => msg === 'reload' && Number(time) >= asked);
  await sleep(SETTLE_MS);
  const swapped = performance.now();
  await sleep(flags.seconds * 1000);
  await load.stop();
  await report(workload, daemon, load, flags.output, [
    { name: 'before the swap', from: started, to: published },
    { name: 'while swapping', from: published, to: swapped },
    { name: 'after the swap', from: swapped, to: performance.now() },
  ]);
}

async function report(
  workload: Workload,
  daemon: DaemonProcess,
  load: SteadyLoad,
  output: string,
  phases: readonly Phase[],
): Promise<void> {
  const outputDirectory = resolve(output);
  await mkdir(outputDirectory, { recursive: true });
  const { workers } = (await new AdminClient(daemon.adminUrl).get('/status')) as Status;
  const client = await connect(daemon.rpcUrl);
  const conclusions = await workload.conclude({ client, outputDirectory, answers: load.answers });
  await client.close();
  const summary = `requests ${load.requests}, failures ${load.failed}, versions seen ${load.versionsSeen.join(', ')}`;
  const lines = [...latencyLines(load.samples, phases), ...memoryLines(workers), ...conclusions];
  console.log([summary, ...lines].join('\n'));
  judge(workload, load, phases);
}

function judge(workload: Workload, load: SteadyLoad, phases: readonly Phase[]): void {
  if (load.failed > 0) {
    throw new Error(`${load.failed} requests failed: ${load.failures.join('; ')}`);
  }
  const silent = phases.find((phase) => samplesOf(phase, load.samples).length === 0);
  if (silent) throw new Error(`no request was sent ${silent.name}`);
  if (!load.versionsSeen.includes(workload.nextVersion)) {
    throw new Error(`version ${workload.nextVersion} never answered`);
  }
}
