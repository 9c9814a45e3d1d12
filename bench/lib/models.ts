import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeConvolutional } from '../../test/fixtures/convolutional.js';
import { writeMlp, type MlpOptions } from '../../test/fixtures/mlp.js';
import { writeTransformer } from '../../test/fixtures/transformer.js';
import { BYTES_A_VALUE, type FloatDatatype } from '../../test/fixtures/uniform.js';
import { benchBuild } from './paths.js';

/** A generated model: x [n, width] → y [n, …]. */
export interface BenchModel {
  readonly name: string;
  /** Of a row of x. */
  readonly width: number;
  /** Of x and y. */
  readonly datatype: FloatDatatype;
  /** Version folder with model.onnx. */
  readonly folder: string;
  readonly modelPath: string;
}

/** One whose size matters. */
export interface Perceptron extends BenchModel {
  readonly weightBytes: number;
}

/** Which big model a run takes. */
export interface BigSize {
  /** An eighth of it. */
  quick: boolean;
  /** Four times of it. */
  huge?: boolean;
}

/** A folder for each model. */
export const modelsDir = join(benchBuild, 'models');

/** The models of DESIGN §8. */
export const tiny = () => ensurePerceptron('tiny', { width: 64, layers: 2 });
export const mid = (datatype: FloatDatatype = 'FP32') =>
  ensurePerceptron('mid', { width: 512, layers: 4, datatype });
/** The same shape with other weights, to swap to. */
export const otherMid = () => ensurePerceptron('mid-other', { width: 512, layers: 4, seed: 1 });

/** 34 MB of weights in an external file, for the native suite. */
export const wide = () => ensurePerceptron('wide', { width: 1024, layers: 8, external: true });

/** 2 GB of weights in an external file, or as `size` says. */
export function big({ quick, huge = false }: BigSize): Perceptron {
  const [name, layers] = quick ? ['big-quick', 4] : huge ? ['huge', 128] : ['big', 32];
  return ensurePerceptron(name, { width: 4096, layers, external: true });
}

/** As rows name it. */
export function bigName({ huge = false }: Partial<BigSize>): string {
  return huge ? '8 GB model' : '2 GB model';
}

const TRANSFORMER = { tokens: 32, width: 128, heads: 4, layers: 2 };
const CONVOLUTIONAL = { side: 32, channels: 16, stages: 3, classes: 100 };

/** A small encoder: 32 tokens of 128 values, 2 layers, 1.6 MB. */
export const transformer = () =>
  ensureModel('transformer', TRANSFORMER.tokens * TRANSFORMER.width, (folder) => {
    writeTransformer(folder, TRANSFORMER);
  });
/** A small classifier: images of 32 × 32, 9 convolutions of 16 to 64 channels, 0.5 MB. */
export const convolutional = () =>
  ensureModel('convolutional', 3 * CONVOLUTIONAL.side ** 2, (folder) => {
    writeConvolutional(folder, CONVOLUTIONAL);
  });

/** Much to compute for the size of its rows: the time of a GPU, and not that of requests, bounds it. */
export const deep = (quick: boolean, datatype: FloatDatatype = 'FP32') =>
  quick
    ? ensurePerceptron('deep-quick', { width: 512, layers: 64, external: true, datatype })
    : ensurePerceptron('deep', { width: 512, layers: 256, external: true, datatype });

function ensurePerceptron(shape: string, options: MlpOptions): Perceptron {
  const { width, layers, datatype = 'FP32' } = options;
  const name = datatype === 'FP32' ? shape : `${shape}-${datatype.toLowerCase()}`;
  const write = (folder: string) => {
    writeMlp(folder, options);
  };
  const weightBytes = BYTES_A_VALUE[datatype] * layers * width * (width + 1);
  return { ...ensureModel(name, width, write), datatype, weightBytes };
}

/** Generated at the first use, in build/bench/models, and reused. */
function ensureModel(name: string, width: number, write: (folder: string) => void): BenchModel {
  const folder = join(modelsDir, name);
  if (!existsSync(folder)) generate(folder, write);
  return { name, width, datatype: 'FP32', folder, modelPath: join(folder, 'model.onnx') };
}

function generate(folder: string, write: (folder: string) => void): void {
  const temporary = `${folder}.part`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  write(temporary);
  renameSync(temporary, folder);
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
