import type { EngineModel } from '../../src/native/engine.js';
import type { Case, Context } from './case.js';
import { expectClose } from './expect.js';
import { answer, loadOn, loadOnCpu, rowValues, WIDTH, writeVersion } from './mlp-model.js';

/** That models answer on the target as they do on the processor. */

const BATCH_SIZES = [1, 2, 3, 8, 32, 128];

async function withBoth(
  { engine, target, folder }: Context,
  cuda: Parameters<typeof loadOn>[3],
  use: (model: EngineModel, reference: EngineModel) => Promise<void>,
): Promise<void> {
  const path = writeVersion(folder);
  const reference = await loadOnCpu(engine, path);
  try {
    const model = await loadOn(engine, target, path, cuda);
    await use(model, reference).finally(() => model.unload());
  } finally {
    await reference.unload();
  }
}

async function expectSameAnswers(model: EngineModel, reference: EngineModel): Promise<void> {
  for (const rows of BATCH_SIZES) {
    const values = rowValues(rows);
    const expected = await answer(reference, values);
    expectClose(await answer(model, values), expected, `${rows} rows`);
  }
}

export const ANSWERS: readonly Case[] = [
  {
    name: 'a model answers as on the CPU, for batches of every size',
    run: (context) => withBoth(context, {}, expectSameAnswers),
  },
  {
    name: 'a model in one precision alone answers as on the CPU',
    needsGpu: true,
    run: (context) => withBoth(context, { tf32: false }, expectSameAnswers),
  },
  {
    name: 'CUDA graphs change no answer, at first and when they are replayed',
    needsGpu: true,
    run: (context) =>
      withBoth(context, { graphs: true }, async (model, reference) => {
        await expectSameAnswers(model, reference);
        await expectSameAnswers(model, reference);
      }),
  },
  {
    name: 'a model that is loaded directly answers as on the CPU',
    needsGpu: true,
    run: async (context) => {
      await withBoth(context, { loader: 'direct' }, expectSameAnswers);
      await withBoth(context, { loader: 'direct', graphs: true }, expectSameAnswers);
    },
  },
  {
    name: 'a row is answered alone as among others',
    run: (context) =>
      withBoth(context, {}, async (model) => {
        const values = rowValues(8);
        const together = await answer(model, values);
        for (let row = 0; row < 8; row++) {
          const [from, to] = [row * WIDTH, (row + 1) * WIDTH];
          const alone = await answer(model, values.slice(from, to));
          expectClose(alone, together.slice(from, to), `row ${row}`);
        }
      }),
  },
];
