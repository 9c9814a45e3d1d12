import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../src/native/engine.js';
import { fixturesDir } from '../fixtures/paths.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';

/** What status and describe tell of memory and of what was done. */

let engine: Engine;

beforeAll(() => {
  engine = new Engine();
});
afterAll(() => {
  engine.close();
});

const load = (fixture: string) =>
  engine.load({
    modelPath: join(fixturesDir, fixture, 'model.onnx'),
    intraOpThreads: 1,
    runnerThreads: 1,
    queueCapacity: 8,
  });

test('memory is measured while the loader is busy with other models', async () => {
  const model = await load('mlp-external/1');
  const order: string[] = [];
  const others = Array.from({ length: 40 }, () => load('mlp/1').then(() => order.push('load')));
  const memory = await model.memory();
  order.push('memory');
  await Promise.all(others);
  expect(order.at(-1)).toBe('load');
  expect(memory.mappedBytes).toBeGreaterThan(3 * 64 * 64 * 4);
  expect(memory.residentBytes).toBe(memory.mappedBytes);
  expect(memory.privateBytes).toBeGreaterThanOrEqual(0);
});

test('memory of a model that is unloaded is UNAVAILABLE', async () => {
  const model = await load('shift/1');
  await model.unload();
  await expect(model.memory()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('status and describe tell the memory of a version', async () => {
  const repository = await testRepository();
  await repository.publish('linear', 1);
  const { process, status } = await startDaemon(repository, ['--workers', '2']);
  const version = (await status()).models[0]?.versions[0];
  expect(version?.memory.mappedBytes).toBe(version?.bytes);
  expect(version?.memory.residentBytes).toBe(version?.bytes);
  const rpc = await RawRpc.connect(process.rpcUrl);
  const { result } = await rpc.call('describe', { model: 'linear' });
  // Of two workers, as the packer measured one.
  const privateBytes = (version?.memory.privateBytes ?? 0) / 2;
  expect(result).toMatchObject({ memory: { ...version?.memory, privateBytes } });
});

test('status adds up what the workers have done since they loaded a version', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await repository.configure('shift', 'warmup: { runs: 0 }');
  const { process, status } = await startDaemon(repository, ['--workers', '2']);
  for (let i = 0; i < 8; i++) {
    const rpc = await RawRpc.connect(process.rpcUrl);
    expect((await rpc.call('infer', shiftRequest())).error).toBeNull();
    expect((await rpc.call('infer', { ...shiftRequest(), priority: 9 })).error).not.toBeNull();
    rpc.close();
  }
  const statistics = (await status()).models[0]?.versions[0]?.statistics;
  expect(statistics).toMatchObject({
    requests: { OK: 8, INVALID_ARGUMENT: 8 },
    rowsIn: 8,
    bytesOut: 8 * 16,
    batchSizes: { 1: 8 },
  });
  expect(statistics?.runUs.p50).toBeGreaterThanOrEqual(1);
  expect(statistics?.runUs.p99).toBeGreaterThanOrEqual(statistics?.runUs.p50 ?? Infinity);
});
