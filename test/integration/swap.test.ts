import { describe, expect, test } from 'vitest';
import { startDaemon, testRepository } from '../support/daemon.js';
import { ShiftLoad } from '../support/load.js';
import { mappedModels } from '../support/memory-maps.js';
import { RawRpc, shiftRequest, slowRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

const RETIRE_AT_ONCE = 'swap: { rollbackWindow: 0s }';

describe('a swap under load', () => {
  test('by SIGHUP fails no request, and each connection sees the old version, then the new', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { process } = await startDaemon(repository);
    const load = await ShiftLoad.start(process.rpcUrl, 8);
    await until('every client is served', () => load.allOn(1));
    await repository.publish('shift', 2);
    process.signal('SIGHUP');
    await until('every client has the new version', () => load.allOn(2));
    await load.stop();
    expect(load.errors).toEqual([]);
    expect(load.versions).toEqual(Array.from({ length: 8 }, () => [1, 2]));
    expect(load.requests).toBeGreaterThan(16);
  });

  test('back and forth by activate fails no request', async () => {
    const repository = await testRepository();
    for (const version of [1, 2]) await repository.publish('shift', version);
    const { process, admin } = await startDaemon(repository);
    const load = await ShiftLoad.start(process.rpcUrl, 8);
    for (const version of [1, 2, 1, 2, 1]) {
      await admin.post('/models/shift/activate', { version });
      await until(`every client has version ${version}`, () => load.allOn(version));
    }
    await load.stop();
    expect(load.errors).toEqual([]);
  });
});

test('answers that overlap with a swap never go back to the old version', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const { process, reload } = await startDaemon(repository, ['--workers', '1']);
  const rpc = await RawRpc.connect(process.rpcUrl);
  const versions: number[] = [];
  const ask = (iterations: number) =>
    rpc.call('infer', slowRequest(iterations)).then(({ result }) => versions.push(result.version));
  const long = ask(3_000_000);
  await rpc.call('ping');
  await repository.publish('slow', 2, 'slow', 1);
  await reload();
  await Promise.all([ask(1), ask(1), long]);
  expect(versions).toEqual([1, 2, 2]);
});

describe('the old version', () => {
  test('finishes what it has begun, and is unmapped when its last request is answered', async () => {
    const repository = await testRepository();
    await repository.publish('slow', 1);
    const flags = ['--workers', '1', ...(await repository.daemonConfig(RETIRE_AT_ONCE))];
    const { process, status, reload } = await startDaemon(repository, flags);
    const pid = (await status()).workers[0]?.pid ?? 0;
    const rpc = await RawRpc.connect(process.rpcUrl);
    const begun = rpc.call('infer', slowRequest(4_000_000));
    await rpc.call('ping');
    await repository.publish('slow', 2, 'slow', 1);
    await reload();
    expect(await mappedModels(pid)).toBe(2);
    const { error, result } = await begun;
    expect([error, result.version]).toEqual([null, 1]);
    await until('version 1 is unmapped', async () => (await mappedModels(pid)) === 1);
  });

  test('serves on when the new one is bad, and the reason is named everywhere', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { process, status, reload } = await startDaemon(repository);
    const rpc = await RawRpc.connect(process.rpcUrl);
    for (const fixture of ['garbage', 'truncated', 'missing-external', 'sequence-output']) {
      await repository.publish('shift', 2, fixture, 1);
      const { generation, changes } = await reload();
      expect(generation).toBe(1);
      const reason = expect.stringMatching(
        /malformed protobuf|cannot|weights\.bin|sequence/,
      ) as string;
      expect(changes).toEqual([{ model: 'shift', from: 1, to: 2, result: 'failed', reason }]);
      const [model] = (await status()).models;
      expect(model).toMatchObject({ name: 'shift', active: 1 });
      expect(model?.versions).toMatchObject([
        { version: 1, state: 'active' },
        { version: 2, state: 'failed', reason },
      ]);
      expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
    }
    await repository.publish('shift', 2);
    expect((await reload()).changes).toEqual([
      { model: 'shift', from: 1, to: 2, result: 'committed' },
    ]);
  });

  test('serves on when the new one fails the warm-up that it has passed', async () => {
    const repository = await testRepository();
    await repository.publish('model', 1, 'identity-fp32', 1);
    const { reload, status } = await startDaemon(repository, ['--workers', '1']);
    await repository.publish('model', 2, 'fails-at-run', 1);
    const [change] = (await reload()).changes;
    expect(change).toMatchObject({ from: 1, to: 2, result: 'failed' });
    expect(change?.reason).toMatch(/warm-up failed with zeros for x FP32 \[1\]: .*warmup\.shapes/s);
    expect((await status()).models[0]?.active).toBe(1);
  });

  test('is not needed for a model that rejects guessed inputs: it serves, and the reason is noted', async () => {
    const repository = await testRepository();
    await repository.publish('fails-at-run', 1);
    const { reload, status } = await startDaemon(repository, ['--workers', '1']);
    const [model] = (await status()).models;
    expect(model?.versions).toMatchObject([
      { version: 1, state: 'active', reason: expect.stringContaining('warm-up failed') as string },
    ]);
    await repository.configure('fails-at-run', 'warmup: { shapes: { x: [3] } }');
    expect((await reload()).changes).toMatchObject([{ to: 1, result: 'failed' }]);
    await repository.configure('fails-at-run', 'warmup: { shapes: { x: [4] } }');
    expect((await reload()).changes).toMatchObject([{ to: 1, result: 'committed' }]);
  });

  test('is replaced when the same version is published with another content', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { process, reload } = await startDaemon(repository);
    const rpc = await RawRpc.connect(process.rpcUrl);
    await repository.publish('shift', 1, 'shift', 3);
    expect((await reload()).changes).toEqual([
      { model: 'shift', from: 1, to: 1, result: 'committed' },
    ]);
    const { result } = await rpc.call('infer', shiftRequest([0, 0, 0, 0]));
    expect(result.version).toBe(1);
    expect(result.outputs.y?.data).toEqual(new Uint8Array(Float32Array.of(3, 3, 3, 3).buffer));
  });
});

describe('a reload', () => {
  test('serves the good models when one of them is bad', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { process, reload } = await startDaemon(repository);
    await repository.publish('broken', 1, 'garbage', 1);
    await repository.publish('mixed', 1);
    const { changes } = await reload();
    expect(changes.map(({ model, result }) => [model, result])).toEqual([
      ['mixed', 'committed'],
      ['broken', 'failed'],
    ]);
    const rpc = await RawRpc.connect(process.rpcUrl);
    expect((await rpc.call('describe', { model: 'mixed' })).error).toBeNull();
    expect((await rpc.call('describe', { model: 'broken' })).error?.code).toBe('NOT_FOUND');
  });

  test('that changes nothing keeps the generation', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { reload } = await startDaemon(repository);
    expect(await reload()).toEqual({ generation: 1, changes: [] });
  });

  test('stops serving a model that was removed', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    await repository.publish('mixed', 1);
    const { process, reload } = await startDaemon(repository);
    await repository.remove('mixed');
    expect((await reload()).changes).toEqual([
      { model: 'mixed', from: 1, to: null, result: 'committed' },
    ]);
    const rpc = await RawRpc.connect(process.rpcUrl);
    expect((await rpc.call('describe', { model: 'mixed' })).error?.code).toBe('NOT_FOUND');
  });

  test('keeps a model whose model.yaml is wrong, and names the key', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { reload, status } = await startDaemon(repository);
    await repository.publish('shift', 2);
    await repository.configure('shift', 'versoins: all');
    const [change] = (await reload()).changes;
    expect(change).toMatchObject({ model: 'shift', from: 1, to: 1, result: 'refused' });
    expect(change?.reason).toContain('did you mean versions?');
    const [model] = (await status()).models;
    expect(model).toMatchObject({ active: 1, problem: change?.reason });
  });

  test('follows versions, active and labels of model.yaml', async () => {
    const repository = await testRepository();
    for (const version of [1, 2, 3]) await repository.publish('shift', version);
    await repository.configure('shift', 'versions: [1, 2]');
    const flags = await repository.daemonConfig(RETIRE_AT_ONCE);
    const { process, reload, status } = await startDaemon(repository, flags);
    expect((await status()).models[0]).toMatchObject({ active: 2, labels: {} });
    await repository.configure('shift', 'versions: { latest: 1 }\nactive: 1\nlabels: { old: 1 }');
    await reload();
    const [model] = (await status()).models;
    expect(model).toMatchObject({ active: 1, labels: { old: 1 } });
    await until('only versions 1 and 3 are loaded', async () => {
      const loaded = (await status()).models[0]?.versions.map(({ version }) => version);
      return JSON.stringify(loaded) === '[1,3]';
    });
    const rpc = await RawRpc.connect(process.rpcUrl);
    expect((await rpc.call('infer', { ...shiftRequest(), label: 'old' })).result.version).toBe(1);
  });

  test('several at once all end, and the last one wins', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { reload, status } = await startDaemon(repository);
    await repository.publish('shift', 2);
    await Promise.all([reload(), reload(), reload(), reload()]);
    expect((await status()).models[0]?.active).toBe(2);
  });
});
