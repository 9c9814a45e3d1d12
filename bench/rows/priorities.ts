import { atMost, measured, notRun, type Check } from '../lib/check.js';
import { flawless } from '../lib/client.js';
import { BenchDaemon } from '../lib/daemon.js';
import { interleave } from '../lib/interleave.js';
import { PhasedLoad, runLoad, type LoadResult } from '../lib/load.js';
import { mid } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import { NOT_IN_QUICK_RUNS, type Row, type Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';

/** What urgent requests feel of others that are more than one worker can do. */

/** Enough for runs on the runner thread, in front of which the queue is. */
const ROWS_A_REQUEST = 16;
const URGENT = { priority: 0, rate: 200, connections: 4 };
const OTHERS = { priority: 2, rate: 6_000, connections: 16, depth: 64 };
const YAML = 'queue: { maxSize: 64, priorities: 3 }';
/** A run of another request cannot be interrupted: at worst one of them comes first. */
const BUDGET = atMost(2);
const PERCENTILES = ['p50', 'p99'] as const;

interface Outcome {
  urgent: LoadResult;
  /** Those of the others that were refused. */
  shed: number;
}

export const priorities: Row = {
  name: 'priorities',
  about: `p50 and p99 of ${URGENT.rate} urgent requests a second beside ${OTHERS.rate} others, more than can be done ÷ alone`,
  run: async (settings) =>
    settings.quick ? allNotRun(NOT_IN_QUICK_RUNS) : compareLatencies(settings),
};

function nameOf(percentile: string): string {
  return `${percentile} of urgent requests in an overload by others ÷ alone`;
}

function allNotRun(why: string): Check[] {
  return PERCENTILES.map((percentile) => notRun(nameOf(percentile), BUDGET, why));
}

function compareLatencies(settings: Settings): Promise<Check[]> {
  return owning(async (own) => {
    const model = mid();
    const yaml = { [model.name]: YAML };
    const daemon = await own(BenchDaemon.start({ models: [model], workers: 1, yaml }));
    const { alone, beside } = await interleave(settings.repeats, {
      alone: async (): Promise<Outcome> => ({
        urgent: await askUrgently(daemon, settings),
        shed: 0,
      }),
      beside: () => askBesideOthers(daemon, settings),
    });
    const shed = beside.map((outcome) => outcome.shed);
    if (Math.min(...shed) === 0) return allNotRun('this machine can do them all');
    return PERCENTILES.map((percentile) => {
      const besideUs = beside.map(({ urgent }) => urgent[percentile]);
      const aloneUs = alone.map(({ urgent }) => urgent[percentile]);
      return measured(nameOf(percentile), BUDGET, ratios(besideUs, aloneUs), {
        besideUs,
        aloneUs,
        shed,
      });
    });
  });
}

async function askUrgently({ url }: BenchDaemon, { duration }: Settings): Promise<LoadResult> {
  const { priority, ...pace } = URGENT;
  const request = rpcRequest(mid(), ROWS_A_REQUEST, priority);
  return flawless(await runLoad({ url, request, ...pace }, duration));
}

async function askBesideOthers(daemon: BenchDaemon, settings: Settings): Promise<Outcome> {
  const { priority, ...pace } = OTHERS;
  const request = rpcRequest(mid(), ROWS_A_REQUEST, priority);
  const others = await PhasedLoad.start({ url: daemon.url, request, ...pace });
  others.begin('overload');
  const urgent = await askUrgently(daemon, settings);
  const { failures } = await others.finish('overload');
  return { urgent, shed: failures };
}
