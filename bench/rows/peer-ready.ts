import { PEERS } from '../peers/index.js';
import { verifyAnswer } from '../lib/answer.js';
import { oneByOne, ratioChecks } from '../lib/against-peers.js';
import { ArtifactStore } from '../lib/artifact-store.js';
import { atMost, notRun } from '../lib/check.js';
import { daemonServer } from '../lib/daemon-server.js';
import { expectedOutput } from '../lib/expected-output.js';
import { memoryProblem } from '../lib/memory.js';
import { big, bigName, megabytes, type BenchModel } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { NOT_IN_QUICK_RUNS, type Row } from '../lib/row.js';
import type { ServerKind } from '../lib/server.js';

/** From starting the first process until a right answer, the model's pages in the cache. */

const BUDGET = atMost(1);
const PEAK_COPIES = 4;

export const peerReady: Row = {
  name: 'peer-ready',
  about:
    'time from starting the server to its first answer, one worker, 2 GB model ÷ the same of peers',
  run: async (settings) => {
    const name = `time to the first answer, ${bigName(settings)}`;
    if (settings.quick) return [notRun(`${name} ÷ peers`, BUDGET, NOT_IN_QUICK_RUNS)];
    const model = big(settings);
    const problem = memoryProblem(PEAK_COPIES * model.weightBytes);
    if (problem !== undefined) return [notRun(name, BUDGET, problem)];
    const store = new ArtifactStore();
    try {
      await expectedOutput(model); // reads the model into the page cache
      await readyMs(daemonServer({ store }), model); // makes the artifact
      const contest = { daemon: daemonServer({ store, firstAnswerIsEnough: true }), peers: PEERS };
      const measure = (kind: ServerKind) => readyMs(kind, model);
      return ratioChecks(await oneByOne(contest, settings, settings.peers.repeats, measure), {
        name: `${name}, weights ${megabytes(model.weightBytes)}`,
        budget: BUDGET,
        unit: 'ReadyMs',
        of: (ms) => ms,
      });
    } finally {
      store.delete();
    }
  },
};

function readyMs(kind: ServerKind, model: BenchModel): Promise<number> {
  return owning(async (own) => {
    const started = performance.now();
    const server = await own(kind.start({ model, workers: 1 }));
    await verifyAnswer(server, model);
    return performance.now() - started;
  });
}
