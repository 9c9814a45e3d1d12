import { atMost, measured, type Check } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { seconds } from '../lib/load.js';
import { totalRss } from '../lib/memory.js';
import { mid, otherMid } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { descriptorCount, mappingCount } from '../lib/processes.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';
import { startSteadyLoad } from '../lib/steady-load.js';
import { SwapSequence } from '../lib/swaps.js';

/** What the daemon's processes hold after many swaps, against what they held after a few. */

const WORKERS = 2;
const FEW = 5;
const BUDGET = atMost(1.02);
const RATE = 200;
const CONNECTIONS = 8;
const SETTLE_SECONDS = 1.5;

interface Holdings {
  workersRssBytes: number;
  supervisorRssBytes: number;
  mappings: number;
  descriptors: number;
}

interface Outcome {
  few: Holdings;
  many: Holdings;
}

const WHAT: Readonly<Record<keyof Holdings, string>> = {
  workersRssBytes: 'RSS of the workers',
  supervisorRssBytes: 'RSS of the supervisor',
  mappings: 'mappings of all processes',
  descriptors: 'descriptors of all processes',
};

export const hundredSwaps: Row = {
  name: 'hundred-swaps',
  about: 'memory, mappings and file descriptors after 100 swaps ÷ after 5',
  run: async ({ quick, longRepeats }: Settings) => {
    const count = quick ? 20 : 100;
    const outcomes: Outcome[] = [];
    for (let i = 0; i < longRepeats; i++) outcomes.push(await swapFewThenMany(count));
    return (Object.keys(WHAT) as (keyof Holdings)[]).map((key) => growth(key, count, outcomes));
  },
};

function swapFewThenMany(count: number): Promise<Outcome> {
  return owning(async (own) => {
    const model = mid();
    const daemon = await own(BenchDaemon.start({ models: [model], workers: WORKERS }));
    const swaps = new SwapSequence(daemon, model.name, [model, otherMid()]);
    await swapUnderLightLoad(daemon, swaps, FEW);
    const few = await holdingsOf(daemon);
    await swapUnderLightLoad(daemon, swaps, count - FEW);
    return { few, many: await holdingsOf(daemon) };
  });
}

async function swapUnderLightLoad(
  daemon: BenchDaemon,
  swaps: SwapSequence,
  count: number,
): Promise<void> {
  const load = await startSteadyLoad(daemon.url, mid(), { connections: CONNECTIONS, rate: RATE });
  load.begin('swaps');
  await swaps.swapTimes(count);
  const { failures } = await load.finish('swaps');
  if (failures > 0) throw new Error(`${failures} requests failed while swapping`);
}

async function holdingsOf(daemon: BenchDaemon): Promise<Holdings> {
  await seconds(SETTLE_SECONDS);
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

function growth(key: keyof Holdings, count: number, outcomes: readonly Outcome[]): Check {
  const few = outcomes.map((outcome) => outcome.few[key]);
  const many = outcomes.map((outcome) => outcome.many[key]);
  const name = `${WHAT[key]} after ${count} swaps ÷ after ${FEW}`;
  return measured(name, BUDGET, ratios(many, few), { few, many });
}
