import assert from 'node:assert/strict';
import type { Case, Context } from './case.js';
import { answer, loadOn, rowValues, writeVersion } from './mlp-model.js';

/** That memory is asked for before it is taken, and given back. */

const TOO_MUCH = 2 ** 50;
const LOADS = 20;
const SLACK = 1.02;

export const MEMORY: readonly Case[] = [
  {
    name: 'a load that there is no room for is refused with numbers',
    run: async ({ engine, target, folder }) => {
      const modelPath = writeVersion(folder);
      const load =
        target.gpu === undefined
          ? engine.load({
              ...{ modelPath, intraOpThreads: 1, runnerThreads: 1, queueCapacity: 1 },
              reserveBytes: TOO_MUCH,
            })
          : loadOn(engine, target, modelPath, { reserveBytes: TOO_MUCH });
      await assert.rejects(load, (error: Error & { code?: string; details?: object }) => {
        assert.equal(error.code, 'RESOURCE_EXHAUSTED');
        const numbers = ['availableBytes', 'missingBytes', 'neededBytes'];
        for (const name of numbers) assert.ok(name in (error.details ?? {}), name);
        return true;
      });
    },
  },
  {
    name: `${LOADS} loads take no more of the GPU's memory than one, with either loader`,
    needsGpu: true,
    run: async (context) => {
      const { engine, target, folder } = context;
      const path = writeVersion(folder);
      const loadOnce = async () => {
        for (const loader of ['onnxruntime', 'direct'] as const) {
          const model = await loadOn(engine, target, path, { loader });
          await answer(model, rowValues(32)).finally(() => model.unload());
        }
      };
      await loadOnce();
      const before = await usedBytes(context);
      for (let i = 0; i < LOADS; i++) await loadOnce();
      const after = await usedBytes(context);
      assert.ok(after <= before * SLACK, `${before} bytes in use before, ${after} after`);
    },
  },
];

/** Of the GPU's memory, whoever holds it. */
async function usedBytes({ engine, target }: Context): Promise<number> {
  const { gpus } = await engine.gpus();
  const gpu = gpus.find(({ index }) => index === target.gpu);
  if (!gpu?.use) throw new Error('the addon tells nothing of the memory of this GPU');
  return gpu.totalBytes - gpu.use.freeBytes;
}
