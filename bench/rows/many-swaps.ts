import { atMost, measured, type Check } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { PhasedLoad, seconds, type LoadResult } from '../lib/load.js';
import { totalRss } from '../lib/memory.js';
import { mid, otherMid } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { descriptorCount, mappingCount } from '../lib/processes.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { PAUSES, QUICK_PAUSES, settleMemory, type Pauses } from '../lib/settle.js';
import { ratios } from '../lib/statistics.js';
import { SwapSequence } from '../lib/swaps.js';

/** Many swaps under clients at full speed: what fails, and what the daemon's processes hold in the end. */

const WORKERS = 2;
const FEW = 5;
const GROWTH_BUDGET = atMost(1.02);
const FAILURE_BUDGET = atMost(0);
const CONNECTIONS = 16;
interface Holdings {
  workersRssBytes: number;
  supervisorRssBytes: number;
  mappings: number;
  descriptors: number;
}

interface Outcome {
  requests: number;
  failures: number;
  few: Holdings;
  many: Holdings;
}

const WHAT: Readonly<Record<keyof Holdings, string>> = {
  workersRssBytes: 'RSS of the workers',
  supervisorRssBytes: 'RSS of the supervisor',
  mappings: 'mappings of all processes',
  descriptors: 'descriptors of all processes',
};

export const manySwaps: Row = {
  name: 'many-swaps',
  about: `200 swaps under ${CONNECTIONS} clients at full speed: failures; memory, mappings and descriptors ÷ after ${FEW}`,
  run: async ({ quick, longRepeats }: Settings) => {
    const count = quick ? 8 : 200;
    const pauses = quick ? QUICK_PAUSES : PAUSES;
    const outcomes: Outcome[] = [];
    for (let i = 0; i < longRepeats; i++) outcomes.push(await swapFewThenMany(count, pauses));
    const keys = Object.keys(WHAT) as (keyof Holdings)[];
    return [failures(count, outcomes), ...keys.map((key) => growth(key, count, outcomes))];
  },
};

function swapFewThenMany(count: number, pauses: Pauses): Promise<Outcome> {
  return owning(async (own) => {
    const model = mid();
    const daemon = await own(
      BenchDaemon.start({ models: [model], workers: WORKERS, collectable: true }),
    );
    const swaps = new SwapSequence(daemon, model.name, [model, otherMid()]);
    await underLoad(daemon, () => seconds(pauses.warmUp));
    const first = await underLoad(daemon, () => swaps.swapTimes(FEW));
    const few = await holdingsOf(daemon, pauses);
    const rest = await underLoad(daemon, () => swaps.swapTimes(count - FEW));
    return {
      requests: first.requests + rest.requests,
      failures: first.failures + rest.failures,
      ...{ few, many: await holdingsOf(daemon, pauses) },
    };
  });
}

async function underLoad({ url }: BenchDaemon, work: () => Promise<void>): Promise<LoadResult> {
  const request = rpcRequest(mid());
  const load = await PhasedLoad.start({ url, request, connections: CONNECTIONS });
  load.begin('work');
  await work();
  return load.finish('work');
}

async function holdingsOf(daemon: BenchDaemon, pauses: Pauses): Promise<Holdings> {
  await settleMemory(daemon, pauses);
  const [supervisor = 0, ...workers] = daemon.pids();
  const sum = (count: (pid: number) => number) =>
    [supervisor, ...workers].reduce((total, pid) => total + count(pid), 0);
  return {
    workersRssBytes: await totalRss(workers),
    supervisorRssBytes: await totalRss([supervisor]),
    mappings: sum(mappingCount),
    descriptors: sum(descriptorCount),
  };
}

function failures(count: number, outcomes: readonly Outcome[]): Check {
  const failed = outcomes.map((outcome) => outcome.failures);
  const requests = outcomes.map((outcome) => outcome.requests);
  const name = `failed requests, ${count} swaps, ${CONNECTIONS} clients at full speed`;
  return measured(name, FAILURE_BUDGET, failed, { requests }, { unit: 'failed' });
}

function growth(key: keyof Holdings, count: number, outcomes: readonly Outcome[]): Check {
  const few = outcomes.map((outcome) => outcome.few[key]);
  const many = outcomes.map((outcome) => outcome.many[key]);
  const name = `${WHAT[key]} after ${count} swaps ÷ after ${FEW}`;
  return measured(name, GROWTH_BUDGET, ratios(many, few), { few, many });
}
