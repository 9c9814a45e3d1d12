import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeMlp } from '../../test/fixtures/mlp.js';
import { benchBuild } from './paths.js';

/** A generated model: x FP32 [n, width] → y FP32 [n, width]. */
export interface BenchModel {
  readonly name: string;
  readonly width: number;
  readonly layers: number;
  /** Version folder with model.onnx. */
  readonly folder: string;
  readonly modelPath: string;
  readonly weightBytes: number;
}

interface Shape {
  width: number;
  layers: number;
  seed?: number;
  external?: boolean;
}

/** A folder for each model. */
export const modelsDir = join(benchBuild, 'models');

/** The models of DESIGN §8. */
export const tiny = () => ensureModel('tiny', { width: 64, layers: 2 });
export const mid = () => ensureModel('mid', { width: 512, layers: 4 });
/** The same shape with other weights, to swap to. */
export const otherMid = () => ensureModel('mid-other', { width: 512, layers: 4, seed: 1 });

/** 34 MB of weights in an external file, for the native suite. */
export const wide = () => ensureModel('wide', { width: 1024, layers: 8, external: true });

/** 2 GB of weights in an external file; quick runs take an eighth of it. */
export const big = (quick: boolean) =>
  quick
    ? ensureModel('big-quick', { width: 4096, layers: 4, external: true })
    : ensureModel('big', { width: 4096, layers: 32, external: true });

/** Much to compute for the size of its rows: the time of a GPU, and not that of requests, bounds it. */
export const deep = (quick: boolean) =>
  quick
    ? ensureModel('deep-quick', { width: 512, layers: 64, external: true })
    : ensureModel('deep', { width: 512, layers: 256, external: true });

/** Generated at the first use, in build/bench/models, and reused. */
function ensureModel(name: string, shape: Shape): BenchModel {
  const folder = join(modelsDir, name);
  if (!existsSync(folder)) generate(folder, shape);
  const { width, layers } = shape;
  const weightBytes = 4 * layers * width * (width + 1);
  return { name, width, layers, folder, modelPath: join(folder, 'model.onnx'), weightBytes };
}

function generate(folder: string, shape: Shape): void {
  const temporary = `${folder}.part`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  writeMlp(temporary, shape);
  renameSync(temporary, folder);
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
