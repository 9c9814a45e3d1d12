import { atMost, measured, notRun, type Check } from '../lib/check.js';
import { clientCpu, clientNotes, flawless, serverCpu } from '../lib/client.js';
import { BenchDaemon } from '../lib/daemon.js';
import { IdleConnections } from '../lib/idle-connections.js';
import { interleave } from '../lib/interleave.js';
import { PhasedLoad, seconds, type LoadResult } from '../lib/load.js';
import { tiny } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import { NOT_IN_QUICK_RUNS, type Row, type Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';

/** What connections that ask nothing cost those that do, one worker. */

const IDLE = 2000;
const BUSY = 200;
const RATE = 10_000;
const BUDGET = atMost(1.5);
const NAME = `p99 of ${BUSY} connections beside ${IDLE} idle ones ÷ alone`;
/** Before and after garbage is collected. */
const WARM_UP_SECONDS = 2;
const COLLECTION_SECONDS = 1;

export const idleConnections: Row = {
  name: 'idle-connections',
  about: `p99 of ${BUSY} connections, ${RATE} requests a second, beside ${IDLE} idle ones ÷ without them`,
  run: async (settings) =>
    settings.quick ? [notRun(NAME, BUDGET, NOT_IN_QUICK_RUNS)] : compareP99(settings),
};

function compareP99(settings: Settings): Promise<Check[]> {
  return owning(async (own) => {
    const daemon = await own(start());
    const results = await interleave(settings.repeats, {
      alone: () => askAll(daemon, settings),
      beside: () =>
        owning(async (ownToo) => {
          await ownToo(IdleConnections.open(daemon.url, IDLE));
          return askAll(daemon, settings);
        }),
    });
    const aloneP99Us = results.alone.map(({ p99 }) => p99);
    const besideP99Us = results.beside.map(({ p99 }) => p99);
    const notes = clientNotes([...results.alone, ...results.beside]);
    const values = { besideP99Us, aloneP99Us };
    return [measured(NAME, BUDGET, ratios(besideP99Us, aloneP99Us), values, { notes })];
  });
}

function start(): Promise<BenchDaemon> {
  const cpus = serverCpu();
  return BenchDaemon.start({ models: [tiny()], workers: 1, cpus, collectable: true });
}

/** The idle ones count as if they had been there for long: what opening them has left is collected first. */
async function askAll(daemon: BenchDaemon, { duration }: Settings): Promise<LoadResult> {
  const request = rpcRequest(tiny());
  const pace = { connections: BUSY, rate: RATE, cpus: clientCpu() };
  const load = await PhasedLoad.start({ url: daemon.url, request, ...pace });
  await seconds(WARM_UP_SECONDS);
  daemon.collectGarbage();
  await seconds(COLLECTION_SECONDS);
  load.begin('measured');
  await seconds(duration.seconds);
  return flawless(await load.finish('measured'));
}
