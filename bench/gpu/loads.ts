import { big, megabytes, mid, type Perceptron } from '../lib/models.js';
import type { Copies } from './copies.js';
import type { BareEngine } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';
import type { Target } from './lib/target.js';

/** How long it takes from an artifact in the page cache to a session that can run. */

interface LoadSettings {
  repeats: number;
  copies: Copies;
}

export async function measureLoads(
  bare: BareEngine,
  { quick }: Target,
  settings: LoadSettings,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const model of [mid(), big({ quick })]) {
    figures.push(...(await measureLoad(bare, model, settings)));
  }
  return figures;
}

async function measureLoad(
  bare: BareEngine,
  model: Perceptron,
  { repeats, copies }: LoadSettings,
): Promise<Figure[]> {
  // Packing, and what a first load alone brings, are not counted.
  await (await bare.load(model)).unload();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const started = performance.now();
    const loaded = await bare.load(model);
    times.push(performance.now() - started);
    await loaded.unload();
  }
  const speeds = times.map((ms) => model.weightBytes / 1e6 / ms);
  const name = `load ${model.name}`;
  return [
    figure(name, 'ms', times, `weights ${megabytes(model.weightBytes)}`),
    figure(`${name}, weights a second`, 'GB/s', speeds),
    ...besideCopies(name, speeds, copies),
  ];
}

function besideCopies(name: string, speeds: readonly number[], { toDevice }: Copies): Figure[] {
  if (toDevice === undefined) return [];
  const shares = speeds.map((speed) => speed / toDevice);
  return [figure(`${name}, weights a second ÷ copies to the GPU`, '×', shares)];
}
