import { MULTI_PROCESS_PEERS } from '../peers/index.js';
import { oneByOne, ratioChecks } from '../lib/against-peers.js';
import { atMost, notRun, type Check } from '../lib/check.js';
import { flawless, MANY_CLIENTS } from '../lib/client.js';
import { daemonServer } from '../lib/daemon-server.js';
import { runLoad } from '../lib/load.js';
import { memoryProblem, totalPss } from '../lib/memory.js';
import { big, megabytes, type BenchModel } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import type { MemoryPoint } from '../lib/recording.js';
import { resultsByServer } from '../lib/results-by-server.js';
import { NOT_IN_QUICK_RUNS, type Row } from '../lib/row.js';
import type { ServerKind } from '../lib/server.js';
import { startServer } from '../lib/start-server.js';
import { median } from '../lib/statistics.js';

/** What all processes of a server take together, after all of its workers have served. */

const COUNTS = [1, 2, 4];
const BUDGET = atMost(1);
/** Of its weights at the peak, where each worker has its own and packs them. */
const COPIES_A_WORKER = 2;
/** Memory is the same each time, unlike time, and starts of big models take long. */
const REPEATS = 1;
const LOAD_SECONDS = 2;

export const memoryByWorkers: Row = {
  name: 'memory-by-workers',
  about: `PSS of all processes with ${COUNTS.join(', ')} workers, 2 GB model ÷ the same of peers`,
  run: async (settings) => {
    if (settings.quick) return [notRun('PSS by workers ÷ peers', BUDGET, NOT_IN_QUICK_RUNS)];
    const model = big(settings);
    const contest = { daemon: daemonServer(), peers: MULTI_PROCESS_PEERS };
    const checks: Check[] = [];
    const points = new Map<string, MemoryPoint[]>();
    for (const workers of COUNTS) {
      const name = `PSS, ${plural(workers, 'worker')}, weights ${megabytes(model.weightBytes)}`;
      const problem = memoryProblem(COPIES_A_WORKER * workers * model.weightBytes);
      if (problem !== undefined) {
        checks.push(notRun(name, BUDGET, problem));
        continue;
      }
      const measure = (kind: ServerKind) => pssOf(kind, model, workers);
      const comparisons = await oneByOne(contest, settings, REPEATS, measure);
      for (const [server, pss] of resultsByServer(comparisons)) {
        const point = { workers, pssBytes: median(pss) };
        points.set(server, [...(points.get(server) ?? []), point]);
      }
      checks.push(
        ...ratioChecks(comparisons, {
          name,
          budget: BUDGET,
          unit: 'PssBytes',
          of: (bytes) => bytes,
          notes: ([ours = NaN], [theirs = NaN]) => [
            `${megabytes(ours)} against ${megabytes(theirs)}`,
          ],
        }),
      );
    }
    const load = `weights ${megabytes(model.weightBytes)}`;
    for (const [server, its] of points) {
      settings.keep({ plot: 'memory-by-workers', server, load, points: its });
    }
    return checks;
  },
};

function pssOf(kind: ServerKind, model: BenchModel, workers: number): Promise<number> {
  return owning(async (own) => {
    const server = await own(startServer(kind, { model, workers }));
    const load = { url: server.url, request: server.request(model), connections: MANY_CLIENTS };
    flawless(await runLoad(load, { warmupSeconds: 0, seconds: LOAD_SECONDS }));
    return totalPss(server.pids());
  });
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
