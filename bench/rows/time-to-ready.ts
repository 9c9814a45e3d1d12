import { ArtifactStore } from '../lib/artifact-store.js';
import { atMost, measured, notRun } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { interleave } from '../lib/interleave.js';
import { memoryProblem } from '../lib/memory.js';
import { big, bigName, megabytes, type BenchModel } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { InProcessSession } from '../lib/in-process-session.js';
import type { Row } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';

/** Loading and warming the 2 GB model once its artifact is in the store and its pages in the cache. */

const BUDGET = atMost(0.35);
const PEAK_COPIES = 4;

export const timeToReady: Row = {
  name: 'time-to-ready',
  about:
    'loadMs + warmMs of a worker, as /status says ÷ InferenceSession.create of onnxruntime-node',
  run: async ({ quick, huge, longRepeats }) => {
    const model = big({ quick, huge });
    const name = `time to ready, ${bigName({ huge })} ÷ InferenceSession.create`;
    const problem = memoryProblem(PEAK_COPIES * model.weightBytes);
    if (problem !== undefined) return [notRun(name, BUDGET, problem)];
    const store = new ArtifactStore();
    try {
      await daemonReadyMs(model, store); // makes the artifact
      await sessionCreateMs(model);
      const ms = await interleave(longRepeats, {
        readyMs: () => daemonReadyMs(model, store),
        createMs: () => sessionCreateMs(model),
      });
      const notes = [`weights ${megabytes(model.weightBytes)}`];
      return [measured(name, BUDGET, ratios(ms.readyMs, ms.createMs), ms, { notes })];
    } finally {
      store.delete();
    }
  },
};

function daemonReadyMs(model: BenchModel, store: ArtifactStore): Promise<number> {
  return owning(async (own) => {
    const daemon = await own(BenchDaemon.start({ models: [model], workers: 1, store }));
    const { loadMs, warmMs } = await daemon.version(model.name);
    return loadMs + warmMs;
  });
}

function sessionCreateMs(model: BenchModel): Promise<number> {
  return owning(async (own) => (await own(InProcessSession.create(model))).createMs);
}
