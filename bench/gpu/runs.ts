import type { EngineModel } from '../../src/native/engine.js';
import type { CudaPlan } from '../../src/registry/plan.js';
import { mid } from '../lib/models.js';
import { median } from '../lib/statistics.js';
import { inputRows, type BareEngine } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';
import type { Target } from './lib/target.js';

/** Runs in this process, without a server, by the number of rows. */

export const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

export interface RunSettings {
  repeats: number;
  /** Of one measurement. */
  seconds: number;
}

/** On a GPU also with CUDA graphs. */
export async function measureRuns(
  bare: BareEngine,
  target: Target,
  settings: RunSettings,
): Promise<Figure[]> {
  const plain = await measureVariant(bare, '', {}, settings);
  if (target.gpu === undefined) return plain;
  return [...plain, ...(await measureVariant(bare, ', CUDA graphs', { graphs: true }, settings))];
}

async function measureVariant(
  bare: BareEngine,
  suffix: string,
  cuda: CudaPlan,
  { repeats, seconds }: RunSettings,
): Promise<Figure[]> {
  const model = await bare.load(mid(), cuda);
  try {
    const figures: Figure[] = [];
    for (const rows of BATCH_SIZES) {
      const name = `run mid, ${rows} row${rows === 1 ? '' : 's'}${suffix}`;
      const runs = await repeated(repeats, () => runFor(model, rows, 1, seconds));
      const rates = runs.map(({ rowsPerSecond }) => rowsPerSecond);
      figures.push(
        figure(
          name,
          'us',
          runs.map(({ p50Us }) => p50Us),
          `${rates.map(Math.round).join(', ')} rows/s`,
        ),
      );
    }
    return figures;
  } finally {
    await model.unload();
  }
}

export interface RunResult {
  p50Us: number;
  rowsPerSecond: number;
}

/** A closed loop of runs of so many rows, of which `inFlight` are under way or wait. */
export async function runFor(
  model: EngineModel,
  rows: number,
  inFlight: number,
  seconds: number,
): Promise<RunResult> {
  const inputs = inputRows(mid(), rows);
  await model.infer({ inputs });
  const times: number[] = [];
  const started = performance.now();
  const endsAt = started + seconds * 1000;
  const loop = async () => {
    for (let begun = performance.now(); begun < endsAt;) {
      await model.infer({ inputs });
      const ended = performance.now();
      times.push((ended - begun) * 1000);
      begun = ended;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const elapsed = (performance.now() - started) / 1000;
  return { p50Us: median(times), rowsPerSecond: (times.length * rows) / elapsed };
}

async function repeated<T>(times: number, measure: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await measure());
  return results;
}
