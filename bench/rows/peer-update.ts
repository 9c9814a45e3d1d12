import { PEERS } from '../peers/index.js';
import { againstPeers, ratioChecks } from '../lib/against-peers.js';
import { verifyAnswer } from '../lib/answer.js';
import { atMost } from '../lib/check.js';
import { daemonServer } from '../lib/daemon-server.js';
import { failureNotes } from '../lib/failure-notes.js';
import { phaseOf, seconds, type LatencySeries, type LoadResult } from '../lib/load.js';
import { mid, otherMid } from '../lib/models.js';
import { resultsByServer } from '../lib/results-by-server.js';
import type { Row, Settings } from '../lib/row.js';
import type { RunningServer } from '../lib/server.js';
import { startSteadyLoad } from '../lib/steady-load.js';

/** Latency and failures while a server is given another model in its users' usual way. */

const WORKERS = 2;
const CONNECTIONS = 16;
const RATE = 200;
/** Even, so that the next repeat finds the model that the server was started with. */
const UPDATES_A_REPEAT = 4;
const QUICK_UPDATES = 2;
const CALM_SECONDS = 0.25;
/** What the update leaves behind still belongs to it. */
const SETTLE_SECONDS = 0.05;
const BUDGET = atMost(1);
/** Width of the buckets of the plot. */
const SERIES_MS = 50;

export const peerUpdate: Row = {
  name: 'peer-update',
  about: `p99 and failures while the mid model is updated, ${WORKERS} workers, ${RATE} requests a second ÷ p99 of peers`,
  run: async (settings) => {
    const contest = {
      daemon: daemonServer(),
      peers: PEERS,
      options: { model: mid(), workers: WORKERS },
    };
    const updates = settings.quick ? QUICK_UPDATES : UPDATES_A_REPEAT;
    const measure = (server: RunningServer) => updateUnderLoad(server, updates, settings);
    const comparisons = await againstPeers(contest, settings, measure);
    for (const [server, outcomes] of resultsByServer(comparisons)) {
      keepLast(server, outcomes, settings);
    }
    return ratioChecks(comparisons, {
      name: `p99 while updating, ${RATE} a second, mid`,
      budget: BUDGET,
      unit: 'P99Us',
      of: ({ updating }) => updating.p99,
      also: {
        SteadyP99Us: ({ steady }) => steady.p99,
        UpdateMs: ({ updating }) => (updating.seconds * 1000) / updates,
        Failures: ({ updating }) => updating.failures,
        Requests: ({ updating }) => updating.requests,
      },
      notes: (daemon, theirs) => failureNotes(daemon.map(during), theirs.map(during)),
    });
  },
};

interface Outcome {
  /** Requests that were due while updates went on. */
  updating: LoadResult;
  steady: LoadResult;
  series: LatencySeries;
}

/** One repeat is enough to see what an update looks like. */
function keepLast(server: string, outcomes: readonly Outcome[], { keep }: Settings): void {
  const last = outcomes.at(-1);
  if (!last) return;
  keep({
    plot: 'latency-across-update',
    server,
    load: `mid model, ${WORKERS} workers, ${RATE} requests a second`,
    series: last.series,
    during: 'updating',
  });
}

const during = ({ updating }: Outcome) => updating;

async function updateUnderLoad(
  server: RunningServer,
  updates: number,
  { peers: { duration } }: Settings,
): Promise<Outcome> {
  const pace = { connections: CONNECTIONS, rate: RATE, seriesMs: SERIES_MS };
  const load = await startSteadyLoad(server.url, server.request(mid()), pace);
  await seconds(duration.warmupSeconds);
  for (let i = 1; i <= updates; i++) {
    const next = i % 2 === 1 ? otherMid() : mid();
    load.begin('updating');
    await server.update(next);
    await seconds(SETTLE_SECONDS);
    load.begin('steady');
    await verifyAnswer(server, mid(), next);
    await seconds(CALM_SECONDS);
  }
  const { phases, series } = await load.finishWithSeries();
  return { updating: phaseOf(phases, 'updating'), steady: phaseOf(phases, 'steady'), series };
}
