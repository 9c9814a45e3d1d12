import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeMlp } from '../fixtures/mlp.js';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { mapsFile } from '../support/memory-maps.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** What is in the store beside the checkpoints. */
async function artifactsIn(store: string): Promise<string[]> {
  return (await readdir(store)).filter((name) => name !== 'state');
}

test('workers map the artifact, so a file truncated in the repository harms nobody', async () => {
  const repository = await testRepository();
  await repository.publish('linear', 1);
  const store = join(repository.path, '.store');
  const { process, status } = await startDaemon(repository, ['--store', store]);
  for (const { pid } of (await status()).workers) {
    expect(await mapsFile(pid, store)).toBe(true);
    expect(await mapsFile(pid, join(repository.path, 'linear'))).toBe(false);
  }
  await truncate(join(repository.path, 'linear', '1', 'weights.bin'), 16);
  await truncate(join(repository.path, 'linear', '1', 'model.onnx'), 16);
  const rpc = await RawRpc.connect(process.rpcUrl);
  const x = { datatype: 'FP32', shape: [1, 64], data: new Uint8Array(256) };
  for (let i = 0; i < 10; i++) {
    expect((await rpc.call('infer', { model: 'linear', inputs: { x } })).error).toBeNull();
  }
  const { result } = await rpc.call('describe', { model: 'linear' });
  expect(result).toMatchObject({
    artifact: { form: expect.stringMatching(/prepacked|external/) as string },
  });
});

test('a model that nothing else serves is there before its packed weights are in use', async () => {
  const repository = await testRepository();
  const source = join(repository.path, '.source');
  const width = 2048;
  // Just large enough.
  writeMlp(source, { width, layers: 2, external: true });
  await repository.publishFolder('mlp', 1, source);
  await repository.publishFolder('slow-start', 1, source);
  await repository.configure('slow-start', 'quickStart: false');
  await repository.publish('small', 1, 'mlp-external', 1);
  const store = join(repository.path, '.store');
  const { process, reload, status } = await startDaemon(repository, ['--store', store]);
  const versionOf = async (name: string) =>
    (await status()).models.find((model) => model.name === name)?.versions[0];
  const rpc = await RawRpc.connect(process.rpcUrl);
  const x = { datatype: 'FP32', shape: [1, width], data: new Uint8Array(4 * width) };
  const ask = async () => (await rpc.call('infer', { model: 'mlp', inputs: { x } })).error;
  expect(await ask()).toBeNull();
  expect((await versionOf('slow-start'))?.prepacking).toBeUndefined();
  expect((await versionOf('small'))?.prepacking).toBeUndefined();
  const isPrepacked = async () => (await versionOf('mlp'))?.prepacking === undefined;
  await until('the packed weights are in use', isPrepacked);
  expect(await ask()).toBeNull();
  expect((await versionOf('mlp'))?.reason).toBeUndefined();
  await repository.publishFolder('mlp', 2, source);
  expect((await reload()).changes).toMatchObject([{ from: 1, to: 2, result: 'committed' }]);
  expect((await versionOf('mlp'))?.prepacking).toBeUndefined();
  expect(await ask()).toBeNull();
});

test('an artifact that the store has is not made again', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const store = join(repository.path, '.store');
  const first = await startDaemon(repository, ['--store', store]);
  expect(first.process.log.map(({ step }) => step)).toContain('packing');
  await first.process.stop();
  const second = await startDaemon(repository, ['--store', store]);
  expect(second.process.log.map(({ step }) => step)).not.toContain('packing');
  expect(await artifactsIn(store)).toHaveLength(1);
});

/** Threads of a process now. */
async function threadsOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]);
}

test('a model has the threads that its model.yaml asks for, and needs no other artifact for them', async () => {
  const repository = await testRepository();
  await repository.publish('linear', 1);
  await repository.configure('linear', 'threads: { intraOp: 1 }');
  const store = join(repository.path, '.store');
  const { reload, status } = await startDaemon(repository, ['--store', store, '--workers', '1']);
  const { pid } = (await status()).workers[0] as { pid: number };
  const before = await threadsOf(pid);
  await repository.configure('linear', 'threads: { intraOp: 4, spinning: true }');
  expect((await reload()).changes).toMatchObject([{ from: 1, to: 1, result: 'committed' }]);
  await until('the version with one thread is gone', async () => {
    return (await status()).models[0]?.versions.length === 1;
  });
  await until('three threads more', async () => (await threadsOf(pid)) === before + 3);
  expect(await artifactsIn(store)).toHaveLength(1);
});

test('pack makes the artifact ahead of time, also twice at once', async () => {
  const repository = await testRepository();
  await repository.publish('linear', 1);
  const store = join(repository.path, '.store');
  const pack = (name: string) =>
    runCli(['pack', name, '--models', repository.path, '--store', store]);
  const results = await Promise.all([pack('linear/1'), pack('linear/1')]);
  for (const { code, output } of results) {
    expect(code).toBe(0);
    expect(output).toMatch(/linear\/1: (prepacked|external), [\d.]+ MiB at /);
  }
  expect(await artifactsIn(store)).toHaveLength(1);
  expect(await pack('linear')).toMatchObject({ code: 2 });
  expect(await pack('linear/2')).toMatchObject({ code: 1 });
});

test('a full store refuses the new version with the numbers, and the old one serves on', async (context) => {
  const repository = await testRepository();
  const store = join(repository.path, '.store');
  await mkdir(store);
  const mounted =
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', store]).status === 0;
  context.skip(!mounted, 'mounting a small file system needs root');
  onTestFinished(() => void spawnSync('umount', ['-l', store]));
  await repository.publish('shift', 1);
  const { process, reload } = await startDaemon(repository, ['--store', store]);
  await repository.publish('shift', 2);
  await writeFile(join(store, 'filler'), new Uint8Array(60_000)).catch(() => {});
  const [change] = (await reload()).changes;
  expect(change).toMatchObject({ from: 1, to: 2, result: 'failed' });
  expect(change?.reason).toMatch(/\d+ bytes free, packing needs about \d+|No space|ENOSPC/);
  const rpc = await RawRpc.connect(process.rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
});
