import { atMost, measured, type Check } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { PhasedLoad, seconds, type LoadResult } from '../lib/load.js';
import { tiny } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';

/** A worker is killed (SIGKILL) while 32 clients, one request in flight each, ask two workers. */

const WORKERS = 2;
const CONNECTIONS = 32;
const LOST_BUDGET = atMost(1);
const OTHERS_BUDGET = atMost(0);

interface Outcome {
  result: LoadResult;
  /** Connections of the killed worker: each had one request in flight. */
  inFlight: number;
}

export const workerKill: Row = {
  name: 'worker-kill',
  about: 'requests that fail when a worker is killed ÷ requests that it had in flight',
  run: async (settings) => {
    const outcomes: Outcome[] = [];
    for (let i = 0; i < settings.longRepeats; i++) outcomes.push(await killOne(settings));
    return [lostRequests(outcomes), otherFailures(outcomes)];
  },
};

function killOne({ duration }: Settings): Promise<Outcome> {
  return owning(async (own) => {
    const daemon = await own(BenchDaemon.start({ models: [tiny()], workers: WORKERS }));
    const request = rpcRequest(tiny());
    const load = await PhasedLoad.start({ url: daemon.url, request, connections: CONNECTIONS });
    load.begin('kill');
    await seconds(duration.warmupSeconds);
    const victim = (await daemon.workers()).find(({ connections }) => connections > 0);
    if (!victim) throw new Error('no worker has a connection');
    process.kill(victim.pid, 'SIGKILL');
    await seconds(duration.seconds);
    const result = await load.finish('kill');
    return { result, inFlight: victim.connections };
  });
}

function lostRequests(outcomes: readonly Outcome[]): Check {
  const lost = outcomes.map(({ result }) => result.lost);
  const inFlight = outcomes.map((outcome) => outcome.inFlight);
  const figures = lost.map((count, i) => count / (inFlight[i] ?? NaN));
  const name = 'worker killed: requests lost ÷ in flight at that worker';
  return measured(name, LOST_BUDGET, figures, { lost, inFlight });
}

function otherFailures(outcomes: readonly Outcome[]): Check {
  const failed = outcomes.map(({ result }) => result.badAnswers);
  const values = { requests: outcomes.map(({ result }) => result.requests) };
  const name = 'worker killed: other requests failed';
  return measured(name, OTHERS_BUDGET, failed, values, { unit: 'failed' });
}
