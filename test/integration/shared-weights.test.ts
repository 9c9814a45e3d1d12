import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../src/native/engine.js';
import type { SharedWeights } from '../../src/supervisor/weight-sharing.js';
import { LINEAR_INPUTS, LINEAR_OUTPUTS, linearAnswer, linearBias } from '../fixtures/linear.js';
import { fixturesDir } from '../fixtures/paths.js';
import { buildCudaHost, type CudaHost } from '../support/cuda-host.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { deviceBlocks, readDeviceBlocks } from '../support/device-memory.js';
import { isAlive } from '../support/processes.js';
import { RawRpc } from '../support/raw-rpc.js';
import type { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** Daemons whose workers share weights on a GPU, with stand-ins for NVIDIA's driver and for ONNX Runtime's CUDA. */

let host: CudaHost;
beforeAll(async () => {
  host = await buildCudaHost();
});
afterAll(() => host.remove());

const W_BYTES = 4 * LINEAR_INPUTS * LINEAR_OUTPUTS;
const ROW = Float32Array.from({ length: LINEAR_INPUTS }, (_, i) => (i % 5) - 2);

async function startSharing(
  environment: NodeJS.ProcessEnv = {},
  flags: readonly string[] = ['--device', 'cuda:0'],
): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('linear', 1);
  const config = await repository.daemonConfig(
    `models: .\nortLibrary: ${host.library}\ngpu: { shareWeights: true }\n` +
      'swap: { rollbackWindow: 0s }\n',
  );
  return startDaemon(repository, [...config, ...flags], {
    ...{ ...host.environment, WARMSWAP_STORE: join(repository.path, '.store') },
    ...environment,
  });
}

/** What linear answers, W times `factor`. */
async function expectAnswers({ process: daemon }: TestDaemon, factor = 1): Promise<void> {
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  const x = { datatype: 'FP32', shape: [1, LINEAR_INPUTS], data: new Uint8Array(ROW.buffer) };
  const { result } = await rpc.call('infer', { model: 'linear', inputs: { x } });
  rpc.close();
  const { data } = result.outputs.y as { data: Uint8Array };
  const expected = linearAnswer(ROW).map((y, j) => factor * (y - linearBias(j)) + linearBias(j));
  expect([...new Float32Array(data.slice().buffer)]).toEqual(expected);
}

async function sharedOf({ status }: TestDaemon): Promise<SharedWeights | undefined> {
  return (await status()).gpus[0]?.shared;
}

async function ownerOf(daemon: TestDaemon): Promise<number> {
  return until('weights are shared', async () => (await sharedOf(daemon))?.ownerPid);
}

async function workersOf({ status }: TestDaemon): Promise<number[]> {
  return (await status()).workers.map(({ pid }) => pid);
}

/** All workers that were not among these serve. */
async function replaced(daemon: TestDaemon, before: readonly number[]): Promise<number[]> {
  return until('other workers serve', async () => {
    const { workers } = await daemon.status();
    const isOther = ({ pid, state }: (typeof workers)[number]) =>
      state === 'ready' && !before.includes(pid);
    return workers.every(isOther) && workers.length === 2 && workers.map(({ pid }) => pid);
  });
}

/** The block that the owner holds, once each of these processes has it alone open. */
async function theOneBlock(owner: number, workers: readonly number[]): Promise<string> {
  const blocks = await Promise.all([owner, ...workers].map(deviceBlocks));
  const [first = []] = blocks;
  expect(first).toHaveLength(1);
  expect(blocks).toEqual(blocks.map(() => first));
  return first[0] ?? '';
}

async function weightsOfArtifacts(repository: TestRepository): Promise<Buffer[]> {
  const store = join(repository.path, '.store');
  const keys = (await readdir(store)).filter((name) => /^[0-9a-f]{40}$/.test(name));
  return Promise.all(keys.map((key) => readFile(join(store, key, 'weights.bin'))));
}

/** linear's version 2: the same but for W, which is twice that of version 1. */
async function publishDoubled(repository: TestRepository): Promise<void> {
  const folder = join(repository.path, '.doubled');
  await cp(join(fixturesDir, 'linear', '1'), folder, { recursive: true });
  const path = join(folder, 'weights.bin');
  const bytes = await readFile(path);
  for (let at = bytes.length - W_BYTES; at < bytes.length; at += 4) {
    bytes.writeFloatLE(2 * bytes.readFloatLE(at), at);
  }
  await writeFile(path, bytes);
  await repository.publishFolder('linear', 2, folder);
}

test('workers on a GPU answer from one copy of the weights, which is that of the artifact', async () => {
  const daemon = await startSharing();
  await expectAnswers(daemon);
  const owner = await ownerOf(daemon);
  await theOneBlock(owner, await workersOf(daemon));
  expect(await sharedOf(daemon)).toEqual({ ownerPid: owner, models: 1, bytes: W_BYTES });
  const [block, ...others] = await readDeviceBlocks(owner);
  expect(others).toEqual([]);
  expect(await weightsOfArtifacts(daemon.repository)).toEqual([block?.subarray(0, W_BYTES)]);
  const [model] = (await daemon.status()).models;
  expect(model?.versions).toMatchObject([{ state: 'active' }]);
  expect(model?.versions[0]).not.toHaveProperty('reason');
});

test('a worker that is killed leaves the weights to the others, and has them again when it is back', async () => {
  const daemon = await startSharing();
  const owner = await ownerOf(daemon);
  const before = await workersOf(daemon);
  const block = await theOneBlock(owner, before);
  process.kill(before[0] ?? 0, 'SIGKILL');
  const after = await until('the worker is back', async () => {
    const { workers } = await daemon.status();
    const isBack = workers[0]?.restarts === 1 && workers[0].state === 'ready';
    return isBack && workers.map(({ pid }) => pid);
  });
  expect(after[1]).toBe(before[1]);
  expect(await ownerOf(daemon)).toBe(owner);
  expect(await theOneBlock(owner, after)).toBe(block);
  await expectAnswers(daemon);
});

test('when the owner is killed nobody serves on from its memory: workers and owner are others then', async () => {
  const daemon = await startSharing();
  const owner = await ownerOf(daemon);
  const before = await workersOf(daemon);
  process.kill(owner, 'SIGKILL');
  await daemon.process.logged(({ msg }) => msg === 'shared weights are lost');
  await until('they have ended', () => before.every((pid) => !isAlive(pid)));
  const after = await replaced(daemon, before);
  const next = await ownerOf(daemon);
  expect(next).not.toBe(owner);
  await theOneBlock(next, after);
  await expectAnswers(daemon);
  const ends = daemon.process.log.filter(({ msg }) => msg === 'worker ended');
  expect(ends.map(({ how }) => how)).toEqual(before.map(() => 'its shared weights are lost'));
});

test('after its owner has been killed three times, each worker has weights of its own and says why', async () => {
  const daemon = await startSharing();
  for (let i = 0; i < 3; i++) {
    const before = await workersOf(daemon);
    process.kill(await ownerOf(daemon), 'SIGKILL');
    await replaced(daemon, before);
  }
  expect(await sharedOf(daemon)).toBeUndefined();
  expect(await Promise.all((await workersOf(daemon)).map(deviceBlocks))).toEqual([[], []]);
  await expectAnswers(daemon);
  const [model] = (await daemon.status()).models;
  expect(model?.versions).toMatchObject([
    {
      state: 'active',
      reason: expect.stringContaining('has ended 3 times in 10 minutes') as string,
    },
  ]);
});

test("a version's weights are freed when no worker has them any more, and the owner ends with the last", async () => {
  const daemon = await startSharing();
  const owner = await ownerOf(daemon);
  const workers = await workersOf(daemon);
  const first = await theOneBlock(owner, workers);
  await publishDoubled(daemon.repository);
  expect((await daemon.reload()).changes).toMatchObject([{ to: 2, result: 'committed' }]);
  await until('version 1 is gone', async () => {
    const blocks = await Promise.all([owner, ...workers].map(deviceBlocks));
    return blocks.every((each) => each.length === 1 && !each.includes(first));
  });
  await expectAnswers(daemon, 2);
  expect(await sharedOf(daemon)).toMatchObject({ ownerPid: owner, models: 1 });
  await daemon.admin.post('/models/linear/unload');
  await until('the owner has ended', () => !isAlive(owner));
  expect(await Promise.all(workers.map(deviceBlocks))).toEqual([[], []]);
  await daemon.admin.post('/models/linear/load');
  await theOneBlock(await ownerOf(daemon), workers);
  await expectAnswers(daemon, 2);
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'nothing is left of a daemon that got %s, and nobody has weights open when their owner ends',
  async (signal) => {
    const daemon = await startSharing();
    const owner = await ownerOf(daemon);
    const workers = await workersOf(daemon);
    daemon.process.signal(signal);
    await until('the owner has ended', () => !isAlive(owner));
    expect(await Promise.all(workers.map(deviceBlocks))).toEqual([[], []]);
    await daemon.process.exited();
    await until('the workers have ended', () => !workers.some(isAlive));
  },
);

test('where memory of other processes does not open, each worker has weights of its own and says why', async () => {
  const daemon = await startSharing({ STANDIN_OPENS_NOTHING: '1' });
  await expectAnswers(daemon);
  const reason = expect.stringMatching(
    /^it has weights of its own on its GPU: .*cuIpcOpenMemHandle/,
  ) as string;
  const [model] = (await daemon.status()).models;
  expect(model?.versions).toMatchObject([{ state: 'active', reason }]);
  const warnings = daemon.process.log.filter(({ msg }) => msg.startsWith('it has weights'));
  expect(warnings).toMatchObject([{ model: 'linear' }, { model: 'linear' }]);
  expect(await sharedOf(daemon)).toBeUndefined();
});

test('a model has closed its weights once it is unloaded, also where its memory is being measured', async () => {
  const { path: folder } = await testRepository();
  const engine = new Engine(host.library);
  const sourcePath = join(fixturesDir, 'linear/1/model.onnx');
  await engine.pack({ sourcePath, outputDirectory: folder, device: 'cuda' });
  const gpu = { deviceId: 0, driverLibrary: host.driver };
  const modelPath = join(folder, 'model.onnx');
  const weights = await engine.shareWeights(modelPath, gpu.deviceId, gpu.driverLibrary);
  const slab = await deviceBlocks(process.pid);
  expect(slab).toHaveLength(1);
  const threads = { intraOpThreads: 1, runnerThreads: 1, queueCapacity: 1 };
  for (let i = 0; i < 5; i++) {
    const model = await engine.load({ modelPath, ...threads, cuda: { ...gpu, weights } });
    expect(await deviceBlocks(process.pid)).toHaveLength(2);
    const measured = Promise.allSettled(Array.from({ length: 20 }, () => model.memory()));
    await model.unload();
    expect(await deviceBlocks(process.pid)).toEqual(slab);
    await measured;
  }
  await engine.freeWeights(weights);
  expect(await deviceBlocks(process.pid)).toEqual([]);
  await expect(engine.freeWeights(weights)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  engine.close();
});

test('where models run on the processor, the daemon says that nothing is shared, and serves', async () => {
  const daemon = await startSharing({}, ['--device', 'cpu']);
  await expectAnswers(daemon);
  const lines = daemon.process.log.filter(({ msg }) => msg.startsWith('gpu.shareWeights:'));
  expect(lines.map(({ msg }) => msg)).toEqual([
    'gpu.shareWeights: nothing is shared on the CPU: it takes CUDA',
  ]);
});
