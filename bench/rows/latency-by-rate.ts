import { PEERS } from '../peers/index.js';
import { wsSingle } from '../peers/ws-onnxruntime-node/peer.js';
import { againstPeers, ratioChecks, type Comparison } from '../lib/against-peers.js';
import { atMost, type Check } from '../lib/check.js';
import { daemonServer } from '../lib/daemon-server.js';
import { failureNotes } from '../lib/failure-notes.js';
import { seconds, type LoadResult } from '../lib/load.js';
import { mid } from '../lib/models.js';
import type { RatePoint } from '../lib/recording.js';
import { resultsByServer } from '../lib/results-by-server.js';
import type { Row, Settings } from '../lib/row.js';
import type { RunningServer, ServerKind } from '../lib/server.js';
import { median } from '../lib/statistics.js';
import { startSteadyLoad } from '../lib/steady-load.js';

/** p50 and p99 at fixed rates. */

const WORKERS = 2;
const CONNECTIONS = 16;
const BUDGET = atMost(1);
const RATES = [200, 1000, 3000];
const QUICK_RATES = [1000];
const PERCENTILES = ['p50', 'p99'] as const;
/** Where the slowest hundredth waits longer the server has fallen behind. */
const BEHIND_US = 1e6;

/** By rate; none above the first that the server did not keep up with. */
type ByRate = ReadonlyMap<number, LoadResult>;

/** One process against one, each with a thread a core, which wait spinning: ONNX Runtime's default. */
const ALONE = 'threads: { spinning: true }\n';

export const latencyByRate: Row = {
  name: 'latency-by-rate',
  about: `p50 and p99, mid model, ${WORKERS} workers, ${CONNECTIONS} connections at fixed rates ÷ the same of peers; one worker ÷ one process`,
  run: async (settings) => {
    const rates = settings.quick ? QUICK_RATES : RATES;
    const measure = (server: RunningServer) => climb(server, rates, settings);
    const contest = (daemon: ServerKind, peers: readonly ServerKind[], workers: number) =>
      againstPeers({ daemon, peers, options: { model: mid(), workers } }, settings, measure);
    const spread = await contest(daemonServer(), PEERS, WORKERS);
    keepPoints(spread, rates, settings);
    const alone = await contest(daemonServer({ yaml: ALONE }), [wsSingle], 1);
    return rates.flatMap((rate) => [
      ...checksAt(rate, 'mid', spread),
      ...checksAt(rate, 'mid, 1 worker, spinning threads', alone),
    ]);
  },
};

function keepPoints(
  comparisons: readonly Comparison<ByRate>[],
  rates: readonly number[],
  { keep }: Settings,
): void {
  const load = `mid model, ${WORKERS} workers, ${CONNECTIONS} connections`;
  for (const [server, results] of resultsByServer(comparisons)) {
    const points = rates.flatMap((rate) => pointAt(rate, results));
    if (points.length > 0) keep({ plot: 'latency-by-rate', server, load, points });
  }
}

function checksAt(rate: number, what: string, comparisons: readonly Comparison<ByRate>[]): Check[] {
  const atRate = comparisons.map((comparison) => pick(comparison, rate));
  return PERCENTILES.flatMap((percentile) =>
    ratioChecks(atRate, {
      name: `${percentile}, ${rate} a second, ${what}`,
      budget: BUDGET,
      unit: `${percentile.toUpperCase()}Us`,
      of: (result) => result[percentile],
      notes: failureNotes,
    }),
  );
}

async function climb(
  server: RunningServer,
  rates: readonly number[],
  settings: Settings,
): Promise<ByRate> {
  const results = new Map<number, LoadResult>();
  for (const rate of rates) {
    const result = await openLoop(server, rate, settings);
    results.set(rate, result);
    if (!hasKeptUp(result)) break;
  }
  return results;
}

function hasKeptUp({ failures, p99 }: LoadResult): boolean {
  return failures === 0 && p99 <= BEHIND_US;
}

/** Nothing at a rate that the server did not keep up with every time. */
function pointAt(rate: number, repeats: readonly ByRate[]): RatePoint[] {
  const results = repeats.flatMap((byRate) => byRate.get(rate) ?? []).filter(hasKeptUp);
  if (results.length < repeats.length) return [];
  const medianOf = (percentile: 'p50' | 'p99') => median(results.map((it) => it[percentile]));
  return [{ rate, p50Us: medianOf('p50'), p99Us: medianOf('p99') }];
}

async function openLoop(
  server: RunningServer,
  rate: number,
  { peers: { duration } }: Settings,
): Promise<LoadResult> {
  const pace = { connections: CONNECTIONS, rate };
  const load = await startSteadyLoad(server.url, server.request(mid()), pace);
  await seconds(duration.warmupSeconds);
  load.begin('measured');
  await seconds(duration.seconds);
  return load.finish('measured');
}

function pick(comparison: Comparison<ByRate>, rate: number): Comparison<LoadResult> {
  if ('problem' in comparison) return comparison;
  const at = (results: readonly ByRate[]) => results.flatMap((byRate) => byRate.get(rate) ?? []);
  const { peer } = comparison;
  const daemon = at(comparison.daemon);
  const theirs = at(comparison.theirs);
  if (daemon.length < comparison.daemon.length) return { peer, problem: behind('the daemon') };
  if (theirs.length < comparison.theirs.length) return { peer, problem: behind('the peer') };
  return { peer, daemon, theirs };
}

function behind(who: string): string {
  return `${who} did not keep up with a lower rate`;
}
