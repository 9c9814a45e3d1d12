import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeCudaOptions, NativeModelOptions } from '../../src/native/binding.js';
import { Engine } from '../../src/native/engine.js';
import { reportGpus } from '../../src/worker/gpu-report.js';
import { buildCudaStandin, type CudaStandin } from '../support/cuda-standin.js';

// Of a process, so what does not open comes before what does.

const GIBIBYTE = 2 ** 30;

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../build/fixtures/${name}/model.onnx`, import.meta.url));
}

function optionsFor(cuda: NativeCudaOptions, more: Partial<NativeModelOptions> = {}) {
  const modelPath = fixture('linear/1');
  return { modelPath, intraOpThreads: 1, runnerThreads: 1, queueCapacity: 16, cuda, ...more };
}

describe('models on a GPU, with a stand-in for its driver', () => {
  let engine: Engine;
  let standin: CudaStandin;

  beforeAll(async () => {
    standin = await buildCudaStandin();
    engine = new Engine();
  });
  afterAll(async () => {
    engine.close();
    await standin.remove();
  });

  it('names the driver library that does not open', async () => {
    const driverLibrary = '/nowhere/libcuda.so.1';
    const refused = {
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(driverLibrary) as string,
    };
    await expect(engine.gpus(driverLibrary)).rejects.toMatchObject(refused);
    const load = engine.load(optionsFor({ deviceId: 0, driverLibrary }));
    await expect(load).rejects.toMatchObject(refused);
  });

  it('lists the GPUs, and has no use of them to tell yet', async () => {
    const { cudaVersion, gpus } = await engine.gpus(standin.path);
    expect(cudaVersion).toBe('13.1');
    expect(gpus.map(({ name }) => name)).toEqual(['Stand-in 0', 'Stand-in 1']);
    expect(gpus[0]).toEqual({
      index: 0,
      name: 'Stand-in 0',
      uuid: 'GPU-00010203-0405-0607-0809-0a0b0c0d0e0f',
      totalBytes: 8 * GIBIBYTE,
    });
  });

  it('refuses a second driver library', async () => {
    await expect(engine.gpus('libcuda.so.1')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(standin.path) as string,
    });
  });

  it.each<[string, unknown]>([
    ['deviceId', -1],
    ['memoryLimitBytes', 0],
    ['arenaExtend', 'twice'],
    ['convAlgorithmSearch', 'best'],
    ['tf32', 'yes'],
    ['graphs', 1],
    ['loader', 'pinned'],
  ])('refuses %s: %s', async (name, value) => {
    const cuda = { deviceId: 0, driverLibrary: standin.path, [name]: value };
    const load = engine.load(optionsFor(cuda));
    await expect(load).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each<Partial<NativeModelOptions>>([
    { optimised: true },
    { unpacked: true },
    { execution: 'inline' },
  ])('refuses %j, which is of the processor', async (more) => {
    const load = engine.load(optionsFor({ deviceId: 0, driverLibrary: standin.path }, more));
    await expect(load).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses a model for which the GPU has too little memory, with the numbers', async () => {
    const reserveBytes = 9 * GIBIBYTE;
    const load = engine.load(
      optionsFor({ deviceId: 1, driverLibrary: standin.path, reserveBytes }),
    );
    await expect(load).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: {
        neededBytes: reserveBytes,
        availableBytes: 7 * GIBIBYTE,
        missingBytes: 2 * GIBIBYTE,
        device: 'cuda:1',
      },
    });
  });

  it.each<Partial<NativeCudaOptions>>([{ graphs: true }, { loader: 'direct' }])(
    'says that this ONNX Runtime has no CUDA, and holds nothing of the GPU: %j',
    async (more) => {
      const load = engine.load(optionsFor({ deviceId: 1, driverLibrary: standin.path, ...more }));
      await expect(load).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringContaining('this ONNX Runtime cannot use CUDA') as string,
      });
      const { gpus } = await engine.gpus(standin.path);
      expect(gpus[1]?.use).toEqual({
        freeBytes: 7 * GIBIBYTE,
        reservedBytes: 0,
        pinnedBytes: 0,
        pinnedMisses: 0,
      });
      expect(gpus[0]?.use).toBeUndefined();
    },
  );

  it('measures copies, and gives the memory back', async () => {
    const speed = await engine.measureCopies(1, standin.path);
    expect(speed.toDeviceBytesPerSecond).toBeGreaterThan(0);
    expect(speed.toHostBytesPerSecond).toBeGreaterThan(0);
    const { gpus } = await engine.gpus(standin.path);
    expect(gpus[1]?.use?.freeBytes).toBe(7 * GIBIBYTE);
    const versions = [{ device: 'cuda:1', deviceBytes: 5 } as const];
    const memory = { totalBytes: 8 * GIBIBYTE, freeBytes: 7 * GIBIBYTE, reservedBytes: 0 };
    expect(await reportGpus(() => engine.gpus(standin.path), versions)).toMatchObject([
      { device: 'cuda:1', name: 'Stand-in 1', ...memory, modelBytes: 5 },
    ]);
    const missing = {
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('no GPU 2') as string,
    };
    await expect(engine.measureCopies(2, standin.path)).rejects.toMatchObject(missing);
  });
});
