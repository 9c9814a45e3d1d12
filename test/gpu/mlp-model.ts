import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, EngineModel } from '../../src/native/engine.js';
import type { NativeModelOptions } from '../../src/native/binding.js';
import type { CudaPlan } from '../../src/registry/plan.js';
import type { Target } from '../../bench/gpu/lib/target.js';
import { writeMlp } from '../fixtures/mlp.js';
import { hash32 } from '../fixtures/random.js';

/** A small perceptron, x FP32 [n, 64] → y FP32 [n, 64], and what it answers. */

export const WIDTH = 64;

/** Writes one version, its weights beside model.onnx; other seeds have other weights. Gives the path of model.onnx. */
export function writeVersion(folder: string, seed = 0): string {
  mkdirSync(folder, { recursive: true });
  writeMlp(folder, { width: WIDTH, layers: 3, seed, external: true });
  return join(folder, 'model.onnx');
}

/** Loads a model from its source on the target. */
export function loadOn(
  engine: Engine,
  { gpu }: Pick<Target, 'gpu'>,
  modelPath: string,
  cuda: CudaPlan & Pick<NonNullable<NativeModelOptions['cuda']>, 'reserveBytes'> = {},
): Promise<EngineModel> {
  const onGpu = gpu === undefined ? {} : { cuda: { deviceId: gpu, ...cuda } };
  return engine.load({
    modelPath,
    ...{ intraOpThreads: 1, runnerThreads: 1, queueCapacity: 64, execution: 'threaded' },
    ...onGpu,
  });
}

export function loadOnCpu(engine: Engine, modelPath: string): Promise<EngineModel> {
  return loadOn(engine, { gpu: undefined }, modelPath);
}

/** Values of rows, different in each. */
export function rowValues(rows: number, seed = 1, width = WIDTH): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, i) => hash32(i, seed) / 2 ** 31);
}

export async function answer(
  model: EngineModel,
  values: Float32Array,
  width = WIDTH,
): Promise<Float32Array> {
  const data = new Uint8Array(values.slice().buffer);
  const shape = [values.length / width, width];
  const { outputs } = await model.infer({ inputs: { x: { datatype: 'FP32', shape, data } } });
  const bytes = outputs.y?.data as Uint8Array;
  return new Float32Array(bytes.slice().buffer);
}
