import { big, megabytes, mid, type Perceptron } from '../lib/models.js';
import type { BareEngine } from './lib/engine-model.js';
import { figure, type Figure } from './lib/results.js';

/** How long it takes from an artifact in the page cache to a session that can run. */

export async function measureLoads(
  bare: BareEngine,
  { quick, repeats }: { quick: boolean; repeats: number },
): Promise<Figure[]> {
  const models = [mid(), big({ quick })];
  const figures: Figure[] = [];
  for (const model of models) figures.push(...(await measureLoad(bare, model, repeats)));
  return figures;
}

async function measureLoad(
  bare: BareEngine,
  model: Perceptron,
  repeats: number,
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
  const size = megabytes(model.weightBytes);
  const speeds = times.map((ms) => model.weightBytes / 1e6 / ms);
  return [
    figure(`load ${model.name}`, 'ms', times, `weights ${size}`),
    figure(`load ${model.name}, weights a second`, 'GB/s', speeds),
  ];
}
