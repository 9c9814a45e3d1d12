import type { EngineModel } from '../../src/native/engine.js';
import { deep, mid, type BenchModel } from '../lib/models.js';
import { median } from '../lib/statistics.js';
import { inputRows, type BareEngine, type LoadOptions } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';
import type { Target } from './lib/target.js';

/** Runs in this process, without a server, by the number of rows. */

export const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

export interface RunSettings {
  repeats: number;
  /** Of one measurement. */
  seconds: number;
}

interface Variant {
  name: string;
  cuda: NonNullable<LoadOptions['cuda']>;
}

/** A processor has only the first. */
const VARIANTS: readonly Variant[] = [
  { name: '', cuda: {} },
  { name: ', without IoBinding', cuda: { binding: false } },
  { name: ', CUDA graphs', cuda: { graphs: true } },
  // Optimised no further than the artifact.
  { name: ', loader: direct', cuda: { loader: 'direct' } },
];
/** Of the time of a measurement: there are hundreds. */
const SHARE = 1 / 5;

/** In FP32 and FP16; on a GPU also without IoBinding, with CUDA graphs, and loaded directly. */
export async function measureRuns(
  bare: BareEngine,
  { gpu, quick }: Target,
  settings: RunSettings,
): Promise<Figure[]> {
  const variants = gpu === undefined ? VARIANTS.slice(0, 1) : VARIANTS;
  const figures: Figure[] = [];
  for (const model of [mid(), mid('FP16'), deep(quick), deep(quick, 'FP16')]) {
    for (const variant of variants) {
      figures.push(...(await measureModel(bare, model, variant, settings)));
    }
  }
  return figures;
}

async function measureModel(
  bare: BareEngine,
  model: BenchModel,
  { name, cuda }: Variant,
  { repeats, seconds }: RunSettings,
): Promise<Figure[]> {
  const loaded = await bare.load(model, { cuda });
  try {
    const figures: Figure[] = [];
    for (const rows of BATCH_SIZES) {
      const runs: RunResult[] = [];
      for (let i = 0; i < repeats; i++) {
        runs.push(await runFor({ model, loaded }, rows, 1, seconds * SHARE));
      }
      const times = runs.map(({ p50Us }) => p50Us);
      const rate = median(runs.map(({ rowsPerSecond }) => rowsPerSecond));
      const note = `${Math.round(rate)} rows/s`;
      figures.push(figure(`run ${model.name}, rows: ${rows}${name}`, 'us', times, note));
    }
    return figures;
  } finally {
    await loaded.unload();
  }
}

export interface LoadedModel {
  model: BenchModel;
  loaded: EngineModel;
}

export interface RunResult {
  p50Us: number;
  rowsPerSecond: number;
}

/** A closed loop of runs of so many rows, of which `inFlight` are under way or wait. */
export async function runFor(
  { model, loaded }: LoadedModel,
  rows: number,
  inFlight: number,
  seconds: number,
): Promise<RunResult> {
  const inputs = inputRows(model, rows);
  await loaded.infer({ inputs });
  const times: number[] = [];
  const started = performance.now();
  const endsAt = started + seconds * 1000;
  const loop = async () => {
    for (let begun = performance.now(); begun < endsAt;) {
      await loaded.infer({ inputs });
      const ended = performance.now();
      times.push((ended - begun) * 1000);
      begun = ended;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const elapsed = (performance.now() - started) / 1000;
  return { p50Us: median(times), rowsPerSecond: (times.length * rows) / elapsed };
}
