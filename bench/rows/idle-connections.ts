import { atMost, measured } from '../lib/check.js';
import { clientCpu, clientNotes, flawless } from '../lib/client.js';
import { IdleConnections } from '../lib/idle-connections.js';
import { interleave } from '../lib/interleave.js';
import { runLoad, type LoadResult } from '../lib/load.js';
import { tiny } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';
import { startPinned } from './latency.js';

/** What connections that ask nothing cost those that do, one worker. */

const IDLE = 2000;
const BUSY = 200;
const RATE = 10_000;
const BUDGET = atMost(1.5);
/** The idle ones have been there for a while: V8 keeps them where it keeps what stays. */
const WARM_UP_SECONDS = 5;

export const idleConnections: Row = {
  name: 'idle-connections',
  about: `p99 of ${BUSY} connections, ${RATE} requests a second, beside ${IDLE} idle ones ÷ without them`,
  run: (settings) =>
    owning(async (own) => {
      const { url } = await own(startPinned(tiny()));
      const results = await interleave(settings.repeats, {
        alone: () => askAll(url, settings),
        beside: () =>
          owning(async (ownToo) => {
            await ownToo(IdleConnections.open(url, IDLE));
            return askAll(url, settings);
          }),
      });
      const aloneP99Us = results.alone.map(({ p99 }) => p99);
      const besideP99Us = results.beside.map(({ p99 }) => p99);
      const notes = clientNotes([...results.alone, ...results.beside]);
      const name = `p99 of ${BUSY} connections beside ${IDLE} idle ones ÷ alone`;
      const values = { besideP99Us, aloneP99Us };
      return [measured(name, BUDGET, ratios(besideP99Us, aloneP99Us), values, { notes })];
    }),
};

async function askAll(url: string, { duration: { seconds } }: Settings): Promise<LoadResult> {
  const duration = { warmupSeconds: WARM_UP_SECONDS, seconds };
  const load = { url, request: rpcRequest(tiny()), connections: BUSY, rate: RATE };
  return flawless(await runLoad({ ...load, cpus: clientCpu() }, duration));
}
