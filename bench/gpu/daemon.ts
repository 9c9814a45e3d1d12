import { atLeast, measured, type Check, type CheckHead } from '../lib/check.js';
import { flawless } from '../lib/client.js';
import { BenchDaemon } from '../lib/daemon.js';
import { interleave } from '../lib/interleave.js';
import { runLoad } from '../lib/load.js';
import { deep } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import { ratios } from '../lib/statistics.js';
import type { BareEngine } from './lib/engine-model.js';
import type { Target } from './lib/target.js';
import { runFor, type RunSettings } from './runs.js';

/** Clients of one row each, whose requests the daemon joins, against a session that gets whole batches. */

const BATCH = 32;
const CONNECTIONS = 32;
/** Requests in flight on each: the next batches wait while one runs. */
const DEPTH = 4;
/** The default of the daemon on a processor, and on a GPU. */
const RUNNERS = [1, 2] as const;
/** What it gives, for those who cannot have it measured. */
export const DAEMON_CHECKS: readonly CheckHead[] = RUNNERS.map(daemonCheck);

function daemonCheck(runners: number): CheckHead {
  const both = `${BATCH} rows a run, ${runners} ${runners === 1 ? 'runner' : 'runners'} each`;
  const name = `rows a second, batches formed by the daemon ÷ whole ones of a bare session, ${both}`;
  return { name, budget: atLeast(0.95), unit: '×' };
}

export async function measureDaemon(
  bare: BareEngine,
  target: Target,
  settings: RunSettings,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const runners of RUNNERS) checks.push(await compare(bare, target, settings, runners));
  return checks;
}

/** Both may have so many runs under way at once. */
function compare(
  bare: BareEngine,
  target: Target,
  { repeats, seconds }: RunSettings,
  runners: number,
): Promise<Check> {
  return owning(async (own) => {
    const model = deep(target.quick);
    const yaml = `batching: { maxBatch: ${BATCH} }\ninstances: ${runners}\n`;
    const daemon = await own(
      BenchDaemon.start({
        ...{ models: [model], workers: 1, yaml: { [model.name]: yaml } },
        flags: target.daemonFlags,
      }),
    );
    const loaded = await bare.load(model, { runners });
    await own(Promise.resolve({ stop: () => loaded.unload() }));
    const options = { request: rpcRequest(model), connections: CONNECTIONS, depth: DEPTH };
    const duration = { warmupSeconds: seconds / 4, seconds };
    // The next runs wait while these are under way, as in the daemon.
    const inFlight = 2 * runners;
    const { served, bareRows } = await interleave(repeats, {
      served: async () => flawless(await runLoad({ url: daemon.url, ...options }, duration)).rps,
      bareRows: async () =>
        (await runFor({ model, loaded }, BATCH, inFlight, seconds)).rowsPerSecond,
    });
    const { name, budget } = daemonCheck(runners);
    return measured(name, budget, ratios(served, bareRows), { served, bareRows });
  });
}
