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
const YAML = `batching: { maxBatch: ${BATCH} }\n`;
/** What it gives, for those who cannot have it measured. */
export const DAEMON_CHECK: CheckHead = {
  name: `rows a second, batches of ${BATCH} formed by the daemon ÷ bare session, ${BATCH} rows a run`,
  budget: atLeast(0.95),
  unit: '×',
};

export function measureDaemon(
  bare: BareEngine,
  target: Target,
  { repeats, seconds }: RunSettings,
): Promise<Check> {
  return owning(async (own) => {
    const model = deep(target.quick);
    const daemon = await own(
      BenchDaemon.start({
        ...{ models: [model], workers: 1, yaml: { [model.name]: YAML } },
        flags: target.daemonFlags,
      }),
    );
    const loaded = await bare.load(model);
    await own(Promise.resolve({ stop: () => loaded.unload() }));
    const options = { request: rpcRequest(model), connections: CONNECTIONS, depth: DEPTH };
    const duration = { warmupSeconds: seconds / 4, seconds };
    const { served, bareRows } = await interleave(repeats, {
      served: async () => flawless(await runLoad({ url: daemon.url, ...options }, duration)).rps,
      bareRows: async () => (await runFor({ model, loaded }, BATCH, 2, seconds)).rowsPerSecond,
    });
    const { name, budget } = DAEMON_CHECK;
    return measured(name, budget, ratios(served, bareRows), { served, bareRows });
  });
}
