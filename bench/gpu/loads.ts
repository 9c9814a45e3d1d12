import { big, megabytes, mid, type Perceptron } from '../lib/models.js';
import { median } from '../lib/statistics.js';
import type { Copies } from './copies.js';
import type { BareEngine, LoadOptions } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';
import type { Target } from './lib/target.js';

/** How long it takes from an artifact in the page cache to a session that can run. */

type Loader = Pick<NonNullable<LoadOptions['cuda']>, 'loader'>;
const LOADERS: readonly Loader[] = [{ loader: 'onnxruntime' }, { loader: 'direct' }];

interface LoadSettings {
  repeats: number;
  copies: Copies;
}

/** On a GPU with either loader. */
export async function measureLoads(
  bare: BareEngine,
  { gpu, quick }: Target,
  settings: LoadSettings,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const model of [mid(), big({ quick })]) {
    for (const cuda of gpu === undefined ? [{}] : LOADERS) {
      figures.push(...(await measureLoad(bare, model, cuda, settings)));
    }
  }
  return figures;
}

async function measureLoad(
  bare: BareEngine,
  model: Perceptron,
  cuda: Loader,
  { repeats, copies }: LoadSettings,
): Promise<Figure[]> {
  // Packing, and what a first load alone brings, are not counted.
  await loadOnce(bare, model, cuda);
  const loads: OneLoad[] = [];
  for (let i = 0; i < repeats; i++) loads.push(await loadOnce(bare, model, cuda));
  const times = loads.map(({ ms }) => ms);
  const speeds = times.map((ms) => model.weightBytes / 1e6 / ms);
  const name = `load ${model.name}${cuda.loader ? `, loader: ${cuda.loader}` : ''}`;
  return [
    figure(name, 'ms', times, memoryNote(model, loads)),
    figure(`${name}, weights a second`, 'GB/s', speeds),
    ...besideCopies(name, speeds, copies),
  ];
}

interface OneLoad {
  ms: number;
  /** Which it took of the GPU's memory. */
  deviceBytes: number | undefined;
}

async function loadOnce(bare: BareEngine, model: Perceptron, cuda: Loader): Promise<OneLoad> {
  const started = performance.now();
  const loaded = await bare.load(model, { cuda });
  const ms = performance.now() - started;
  try {
    return { ms, deviceBytes: (await loaded.memory()).deviceBytes };
  } finally {
    await loaded.unload();
  }
}

/** A copy of the weights too many would show. */
function memoryNote({ weightBytes }: Perceptron, loads: readonly OneLoad[]): string {
  const taken = loads.flatMap(({ deviceBytes }) => deviceBytes ?? []);
  const ofDevice = taken.length === 0 ? '' : `, of the GPU's memory ${megabytes(median(taken))}`;
  return `weights ${megabytes(weightBytes)}${ofDevice}`;
}

function besideCopies(name: string, speeds: readonly number[], { toDevice }: Copies): Figure[] {
  if (toDevice === undefined) return [];
  const shares = speeds.map((speed) => speed / toDevice);
  return [figure(`${name}, weights a second ÷ copies to the GPU`, '×', shares)];
}
