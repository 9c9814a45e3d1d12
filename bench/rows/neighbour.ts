import { atMost, measured, notRun } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { phaseOf, seconds, type LoadResult } from '../lib/load.js';
import { memoryProblem } from '../lib/memory.js';
import { big, bigName, megabytes, tiny, type BenchModel } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';
import { startSteadyLoad } from '../lib/steady-load.js';

/** Another model's latency while the 2 GB model is packed and loaded beside it, two workers. */

const BUDGET = atMost(1.2);
const WORKERS = 2;
const CONNECTIONS = 16;
const RATE = 1000;
const PEAK_COPIES = 5;

export const neighbour: Row = {
  name: 'neighbour',
  about: 'p99 of the tiny model while a 2 GB model is packed and loaded ÷ its p99 before and after',
  run: async (settings) => {
    const model = big(settings);
    const name = `p99 of tiny while the ${bigName(settings)} loads ÷ its steady p99`;
    const problem = memoryProblem(PEAK_COPIES * model.weightBytes);
    if (problem !== undefined) return [notRun(name, BUDGET, problem)];
    const loads: { steady: LoadResult; loading: LoadResult }[] = [];
    for (let i = 0; i < settings.longRepeats; i++) loads.push(await loadBeside(model, settings));
    const steadyP99Us = loads.map(({ steady }) => steady.p99);
    const loadingP99Us = loads.map(({ loading }) => loading.p99);
    const failed = loads.reduce(
      (sum, { steady, loading }) => sum + steady.failures + loading.failures,
      0,
    );
    const values = {
      loadingP99Us,
      steadyP99Us,
      loadingSeconds: loads.map(({ loading }) => loading.seconds),
    };
    const notes = [`weights ${megabytes(model.weightBytes)}`, `${failed} requests failed`];
    return [measured(name, BUDGET, ratios(loadingP99Us, steadyP99Us), values, { notes })];
  },
};

/** With a daemon and a store of its own, so that every repeat packs. */
function loadBeside(
  model: BenchModel,
  settings: Settings,
): Promise<{ steady: LoadResult; loading: LoadResult }> {
  return owning(async (own) => {
    const daemon = await own(BenchDaemon.start({ models: [tiny()], workers: WORKERS }));
    const calmSeconds = settings.quick ? 0.5 : 4;
    const load = await startSteadyLoad(daemon.url, rpcRequest(tiny()), {
      connections: CONNECTIONS,
      rate: RATE,
    });
    await seconds(settings.duration.warmupSeconds);
    load.begin('steady');
    await seconds(calmSeconds);
    load.begin('loading');
    daemon.repository.publish(model.name, 1, model.folder);
    await daemon.reload();
    load.begin('steady');
    await seconds(calmSeconds);
    const results = await load.finishAll();
    return { steady: phaseOf(results, 'steady'), loading: phaseOf(results, 'loading') };
  });
}
