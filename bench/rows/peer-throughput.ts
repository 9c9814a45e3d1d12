import { MULTI_PROCESS_PEERS } from '../peers/index.js';
import { againstPeers, ratioChecks } from '../lib/against-peers.js';
import { atLeast, type Check } from '../lib/check.js';
import { clientNotes, flawless, MANY_CLIENTS } from '../lib/client.js';
import { daemonServer } from '../lib/daemon-server.js';
import { runLoad, type LoadResult } from '../lib/load.js';
import { mid, tiny, type BenchModel } from '../lib/models.js';
import type { Row, Settings } from '../lib/row.js';
import type { RunningServer } from '../lib/server.js';
import { BATCHING_YAML } from './throughput.js';

/** Answers a second of servers that spread over processes; the client shares the cores with them. */

const WORKERS = 2;
const BUDGET = atLeast(1);

export const peerThroughput: Row = {
  name: 'peer-throughput',
  about: `answers a second to ${MANY_CLIENTS} clients, ${WORKERS} workers, tiny and mid model with batching ÷ the same of peers`,
  run: async (settings) => {
    const checks: Check[] = [];
    const models = settings.quick ? [tiny()] : [tiny(), mid()];
    for (const model of models) checks.push(...(await comparePeak(model, settings)));
    return checks;
  },
};

async function comparePeak(model: BenchModel, settings: Settings): Promise<Check[]> {
  const contest = {
    daemon: daemonServer({ yaml: BATCHING_YAML }),
    peers: MULTI_PROCESS_PEERS,
    options: { model, workers: WORKERS },
  };
  const peak = (server: RunningServer) => closedLoop(server, model, settings);
  return ratioChecks(await againstPeers(contest, settings, peak), {
    name: `throughput, ${MANY_CLIENTS} clients, ${WORKERS} workers, ${model.name}, batching`,
    budget: BUDGET,
    unit: 'Rps',
    of: ({ rps }) => rps,
    notes: (daemon, theirs) => clientNotes([...daemon, ...theirs]),
  });
}

async function closedLoop(
  server: RunningServer,
  model: BenchModel,
  { peers: { duration } }: Settings,
): Promise<LoadResult> {
  const request = server.request(model);
  const load = { url: server.url, request, connections: MANY_CLIENTS };
  return flawless(await runLoad(load, duration));
}
