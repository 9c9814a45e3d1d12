import { expect, test } from 'vitest';
import { mergeGpus } from '../../src/supervisor/gpu-status.js';
import { reportGpus } from '../../src/worker/gpu-report.js';

const USE = { freeBytes: 70, reservedBytes: 5, pinnedBytes: 3, pinnedMisses: 0 };
const gpu = (index: number, use?: typeof USE) => ({
  ...{ index, name: `GPU ${index}`, uuid: `GPU-${index}`, totalBytes: 100 },
  ...(use && { use }),
});
const answer = (...gpus: ReturnType<typeof gpu>[]) =>
  Promise.resolve({ cudaVersion: '13.0', gpus });

test('a worker tells of the GPUs in use, and what its versions took of each', async () => {
  const reports = await reportGpus(
    () => answer(gpu(0, USE), gpu(1), gpu(2, USE)),
    [
      { device: 'cuda:0', deviceBytes: 10 },
      { device: 'cuda:0', deviceBytes: 2 },
      { device: 'cuda:2' },
      { device: 'cpu' },
    ],
  );
  const memory = { totalBytes: 100, freeBytes: 70, reservedBytes: 5, pinnedBytes: 3 };
  expect(reports).toEqual([
    { device: 'cuda:0', name: 'GPU 0', ...memory, modelBytes: 12 },
    { device: 'cuda:2', name: 'GPU 2', ...memory, modelBytes: 0 },
  ]);
});

test('without models on GPUs the driver is not asked, and one that fails is no GPU', async () => {
  const fail = () => Promise.reject(new Error('asked'));
  expect(await reportGpus(fail, [{ device: 'cpu' }, { device: 'webgpu' }])).toEqual([]);
  expect(await reportGpus(fail, [{ device: 'cuda:0' }])).toEqual([]);
});

test('a GPU of several workers is one entry, with the sums of what is theirs', () => {
  const report = { name: 'GPU', totalBytes: 100, reservedBytes: 1, modelBytes: 10, pinnedBytes: 2 };
  const merged = mergeGpus([
    { ...report, device: 'cuda:10', freeBytes: 50 },
    { ...report, device: 'cuda:2', freeBytes: 60 },
    { ...report, device: 'cuda:2', freeBytes: 40 },
  ]);
  const sums = { reservedBytes: 2, modelBytes: 20, pinnedBytes: 4, workers: 2 };
  expect(merged).toEqual([
    { ...report, ...sums, device: 'cuda:2', freeBytes: 40 },
    { ...report, device: 'cuda:10', freeBytes: 50, workers: 1 },
  ]);
});

test('what workers share on a GPU is told beside it', () => {
  const report = { name: 'GPU', totalBytes: 100, reservedBytes: 1, modelBytes: 10, pinnedBytes: 2 };
  const shared = { ownerPid: 7, models: 1, bytes: 50 };
  const reports = [
    { ...report, device: 'cuda:0' as const, freeBytes: 50 },
    { ...report, device: 'cuda:2' as const, freeBytes: 60 },
  ];
  const merged = mergeGpus(reports, new Map([[2, shared]]));
  expect(merged.map((gpu) => gpu.shared)).toEqual([undefined, shared]);
});
