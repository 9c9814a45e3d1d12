import type { Engine } from '../native/engine.js';
import type { Version } from './version.js';
import { warmUp } from './warmup.js';

export interface ThreadBudget {
  intraOpThreads: number;
  runnerThreads: number;
}

/**
 * Takes a planned version to `ready`: maps it, creates its session, warms it. Rejects with the
 * reason, after which the version is `failed` and holds nothing. A warm-up that fails is noted in
 * `warmUpProblem`; the gates judge it.
 */
export async function loadVersion(
  engine: Engine,
  version: Version,
  threads: ThreadBudget,
): Promise<void> {
  try {
    const started = performance.now();
    await createSession(engine, version, threads);
    const loaded = performance.now();
    version.moveTo('warming');
    version.warmUpProblem = await warmUp(version);
    version.times = { loadMs: loaded - started, warmMs: performance.now() - loaded };
    version.moveTo('ready');
  } catch (error) {
    await version.discard();
    throw error;
  }
}

async function createSession(
  engine: Engine,
  version: Version,
  threads: ThreadBudget,
): Promise<void> {
  const { modelPath, options } = version.plan;
  version.moveTo('mapping');
  const native = { modelPath, ...threads, queueCapacity: options.queueCapacity };
  const model = await engine.load(native, () => version.moveTo('loading'));
  version.attach(model);
  version.mappedBytes = (await model.memory()).mappedBytes;
}
