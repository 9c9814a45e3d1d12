import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeCudaOptions } from '../../../src/native/binding.js';
import { Engine, type EngineModel } from '../../../src/native/engine.js';
import { benchBuild } from '../../lib/paths.js';
import type { BenchModel } from '../../lib/models.js';
import { inputTensor } from '../../lib/requests.js';
import type { Target } from './target.js';

/** How a model is loaded; left out, as workers do it. */
export interface LoadOptions {
  /** On a GPU alone. */
  cuda?: Omit<NativeCudaOptions, 'deviceId'>;
  /** How many runs may be under way at once; 1 if left out. */
  runners?: number;
}

/** The addon in this process, without any server: what a daemon on the same device is compared with. */
export class BareEngine {
  readonly engine: Engine;
  readonly #artifacts = new Map<string, string>();

  constructor(private readonly target: Target) {
    this.engine = new Engine(target.library);
  }

  /** Loads a model as workers do: its artifact, made for the target. Its owner unloads it. */
  async load(
    model: BenchModel,
    { cuda = {}, runners = 1 }: LoadOptions = {},
  ): Promise<EngineModel> {
    const { gpu } = this.target;
    const modelPath = await this.#artifact(model);
    return this.engine.load({
      modelPath,
      ...{ intraOpThreads: 1, runnerThreads: runners, queueCapacity: 1024 },
      ...(gpu === undefined
        ? { optimised: true }
        : { execution: 'threaded' as const, cuda: { deviceId: gpu, ...cuda } }),
    });
  }

  close(): void {
    this.engine.close();
    for (const path of this.#artifacts.values()) rmSync(join(path, '..'), { recursive: true });
  }

  async #artifact({ name, modelPath }: BenchModel): Promise<string> {
    const known = this.#artifacts.get(name);
    if (known !== undefined) return known;
    const outputDirectory = mkdtempSync(join(benchBuild, 'artifact-'));
    const device = this.target.gpu === undefined ? 'cpu' : 'cuda';
    await this.engine.pack({ sourcePath: modelPath, outputDirectory, device });
    const path = join(outputDirectory, 'model.onnx');
    this.#artifacts.set(name, path);
    return path;
  }
}

/** Some rows of input for a generated model. */
export function inputRows(model: BenchModel, rows: number) {
  return { x: inputTensor(model, rows) };
}
