import { atLeast, atMost, measured, notRun, type Check } from '../lib/check.js';
import { flawless } from '../lib/client.js';
import { BenchDaemon } from '../lib/daemon.js';
import { interleave } from '../lib/interleave.js';
import { runLoad } from '../lib/load.js';
import { memoryProblem, totalPss } from '../lib/memory.js';
import { big, bigName, megabytes, type BenchModel, type Perceptron } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { InProcessSession } from '../lib/in-process-session.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';

/** What four workers take together with the 2 GB model, and how fast one of them runs it. */

const WORKERS = 4;
const WEIGHTS_FACTOR = 1.1;
const BYTES_A_WORKER = 60e6;
/** Of the bound above. */
const MEMORY_BUDGET = atMost(1);
const SPEED_BUDGET = atLeast(0.95);
const BATCHES = [1, 8];
/** Every worker gets connections, since the kernel spreads them. */
const CONNECTIONS = 32;
/** What unshared weights would take at the peak, with the session compared with. */
const PEAK_COPIES = 8;
/** What a worker gets of the cores: see workerSettings in src/supervisor/supervisor.ts. */
const THREADS = 1;

export const sharedWeights: Row = {
  name: 'shared-weights',
  about:
    '4 workers, 2 GB model: memory of all workers; speed of one ÷ a default session with as many threads',
  run: async (settings) => {
    const model = big(settings);
    const problem = memoryProblem(PEAK_COPIES * model.weightBytes);
    if (problem !== undefined) return nothingRun(settings, problem);
    const pss: number[] = [];
    const speeds = await owning(async (own) => {
      const daemon = await own(BenchDaemon.start({ models: [model], workers: WORKERS }));
      // In a quick run the repeats are readings of one daemon.
      const readings = settings.quick ? settings.longRepeats : 1;
      while (pss.length < readings) pss.push(await workersPss(daemon, model, settings));
      const session = await own(InProcessSession.create(model, { threads: THREADS }));
      const speeds: Check[] = [];
      for (const rows of BATCHES) {
        speeds.push(await compareSpeed(rows, settings, { model, daemon, session }));
      }
      return speeds;
    });
    while (pss.length < settings.longRepeats) pss.push(await freshPss(model, settings));
    return [memoryCheck(settings, model, pss), ...speeds];
  },
};

/** The usual model goes without saying. */
function withModel(name: string, { huge }: Settings): string {
  return huge ? `${name}, ${bigName({ huge })}` : name;
}

function memoryName(settings: Settings): string {
  return withModel(`PSS of ${WORKERS} workers ÷ (1.1 × weights + 60 MB a worker)`, settings);
}

function speedName(rows: number, settings: Settings): string {
  const name = `speed of one of ${WORKERS} workers, batch ${rows} ÷ default session, ${THREADS} thread`;
  return withModel(name, settings);
}

function nothingRun(settings: Settings, reason: string): Check[] {
  return [
    notRun(memoryName(settings), MEMORY_BUDGET, reason),
    ...BATCHES.map((rows) => notRun(speedName(rows, settings), SPEED_BUDGET, reason)),
  ];
}

function memoryCheck(settings: Settings, model: Perceptron, pss: readonly number[]): Check {
  const bound = WEIGHTS_FACTOR * model.weightBytes + WORKERS * BYTES_A_WORKER;
  const figures = pss.map((bytes) => bytes / bound);
  const notes = [`weights ${megabytes(model.weightBytes)}, bound ${megabytes(bound)}`];
  return measured(memoryName(settings), MEMORY_BUDGET, figures, { pssBytes: pss }, { notes });
}

function freshPss(model: BenchModel, settings: Settings): Promise<number> {
  return owning(async (own) => {
    const daemon = await own(BenchDaemon.start({ models: [model], workers: WORKERS }));
    return workersPss(daemon, model, settings);
  });
}

/** After all workers have served requests. */
async function workersPss(
  daemon: BenchDaemon,
  model: BenchModel,
  { quick }: Settings,
): Promise<number> {
  const load = { url: daemon.url, request: rpcRequest(model), connections: CONNECTIONS };
  flawless(await runLoad(load, { warmupSeconds: 0, seconds: quick ? 0.7 : 6 }));
  return totalPss((await daemon.workers()).map(({ pid }) => pid));
}

async function compareSpeed(
  rows: number,
  settings: Settings,
  { model, daemon, session }: { model: BenchModel; daemon: BenchDaemon; session: InProcessSession },
): Promise<Check> {
  const seconds = settings.quick ? 0.7 : 5;
  const load = { url: daemon.url, request: rpcRequest(model, rows), connections: 1 };
  const us = await interleave(settings.longRepeats, {
    sessionUs: () => session.runP50(model, rows, seconds),
    workerUs: async () => flawless(await runLoad(load, { warmupSeconds: 0.2, seconds })).p50,
  });
  return measured(speedName(rows, settings), SPEED_BUDGET, ratios(us.sessionUs, us.workerUs), us);
}
