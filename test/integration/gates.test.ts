import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeModel } from '../../models/onnx/index.js';
import { shift } from '../fixtures/arithmetic.js';
import { fixturesDir } from '../fixtures/paths.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import type { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** What keeps a version from serving: the old one serves on, and the reason is named everywhere. */

/** `config` is warmswap.yaml. */
async function serveShift(config = ''): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const flags = await repository.daemonConfig(config);
  return startDaemon(repository, ['--workers', '1', ...flags]);
}

/** That the reload answer, the status and the log give this reason, and version 1 serves on. */
async function expectRefused(daemon: TestDaemon, reason: string): Promise<void> {
  const because = expect.stringContaining(reason) as string;
  const { changes } = await daemon.reload();
  expect(changes).toEqual([{ model: 'shift', from: 1, to: 2, result: 'failed', reason: because }]);
  expect((await daemon.status()).models).toMatchObject([
    {
      active: 1,
      versions: [
        { version: 1, state: 'active' },
        { version: 2, state: 'failed', reason: because },
      ],
    },
  ]);
  await daemon.process.logged(
    (line) =>
      line.msg === 'reload' && JSON.stringify(line).includes(JSON.stringify(reason).slice(1, -1)),
  );
  const rpc = await RawRpc.connect(daemon.process.rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
}

const sha256Of = async (fixture: string) =>
  createHash('sha256')
    .update(await readFile(join(fixturesDir, fixture, 'model.onnx')))
    .digest('hex');

describe('a checksum in model.yaml', () => {
  const wrong = 'ab'.repeat(32);

  test('refuses another model.onnx, and names both values', async () => {
    const daemon = await serveShift();
    await daemon.repository.publish('shift', 2);
    await daemon.repository.configure('shift', `sha256: { 2: ${wrong} }`);
    await expectRefused(daemon, `expected ${wrong}, got ${await sha256Of('shift/2')}`);
    await daemon.repository.configure('shift', `sha256: { 2: ${await sha256Of('shift/2')} }`);
    expect((await daemon.reload()).changes).toMatchObject([{ to: 2, result: 'committed' }]);
  });

  test('refuses also what was served before it stood there', async () => {
    const daemon = await serveShift();
    await daemon.repository.configure('shift', `sha256: { 1: ${wrong} }`);
    const { changes } = await daemon.reload();
    expect(changes).toMatchObject([{ from: 1, to: 1, result: 'failed' }]);
    expect(changes[0]?.reason).toContain(`expected ${wrong}`);
    expect((await daemon.status()).models).toMatchObject([{ active: 1 }]);
  });
});

describe('golden vectors', () => {
  const x = { datatype: 'FP32', shape: [1, 4], data: [0, 1, 2, 3] };
  const golden = (y: readonly number[], tolerance?: object) =>
    JSON.stringify({ inputs: { x }, outputs: { y: { ...x, data: y } }, tolerance });

  test('refuse a version that answers otherwise', async () => {
    const daemon = await serveShift();
    await daemon.repository.publish('shift', 2);
    const path = await daemon.repository.addFile('shift', 2, 'golden/a.json', golden([2, 3, 4, 6]));
    await expectRefused(daemon, `golden vector ${path}: output 'y': element 3 is 5 instead of 6`);
    await daemon.repository.addFile(
      'shift',
      2,
      'golden/a.json',
      golden([2, 3, 4, 6], { absolute: 1 }),
    );
    expect((await daemon.reload()).changes).toMatchObject([{ to: 2, result: 'committed' }]);
  });

  test('that cannot be read refuse the version', async () => {
    const daemon = await serveShift();
    await daemon.repository.publish('shift', 2);
    await daemon.repository.addFile('shift', 2, 'golden/a.json', '{"inputs": {}}');
    await expectRefused(daemon, 'golden/a.json: outputs: ');
  });

  test('that are spoilt later do not keep a worker from joining', async () => {
    const daemon = await serveShift();
    await daemon.repository.addFile('shift', 1, 'golden/a.json', '{');
    expect((await daemon.reload()).changes).toEqual([]);
    process.kill((await daemon.status()).workers[0]?.pid ?? 0, 'SIGKILL');
    await daemon.process.logged(({ msg }) => msg === 'worker ended');
    const seen = daemon.process.log.length;
    await daemon.process.logged(
      (line) => line.msg === 'worker ready' && daemon.process.log.indexOf(line) >= seen,
    );
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
  });
});

describe('weights that are not where model.onnx says', () => {
  /** Version 2 with its weights where `file` says, changed by `spoil`. */
  async function publishWeights(
    { path }: TestRepository,
    file: string,
    spoil: (weights: string) => Promise<void>,
  ): Promise<void> {
    const folder = join(path, '.source');
    await mkdir(folder);
    writeModel(folder, shift(2), { externalData: { file, minBytes: 0 } });
    await spoil(join(folder, file));
    await rename(folder, join(path, 'shift', '2'));
  }

  test('are refused where they end before they should', async () => {
    const daemon = await serveShift();
    await publishWeights(daemon.repository, 'weights.bin', (weights) => truncate(weights, 2));
    await expectRefused(daemon, 'weights.bin');
  });

  test('are refused outside of the folder, and through a link', async () => {
    const daemon = await serveShift();
    await publishWeights(daemon.repository, '../weights.bin', async () => {});
    await expectRefused(daemon, '../weights.bin');
    await daemon.repository.removeVersion('shift', 2);
    const elsewhere = join(daemon.repository.path, 'elsewhere.bin');
    await publishWeights(daemon.repository, 'weights.bin', async (weights) => {
      await rename(weights, elsewhere);
      await symlink(elsewhere, weights);
    });
    await expectRefused(daemon, 'weights.bin');
  });
});

describe('a version that never becomes ready', () => {
  test('is given up while it is packed', async () => {
    const daemon = await serveShift('swap: { packTimeout: 3s }');
    await daemon.repository.publish('shift', 2, 'endless', 1);
    await daemon.repository.publish('mixed', 1);
    const reason = 'packing it took longer than swap.packTimeout, 3 s';
    expect((await daemon.reload()).changes).toEqual([
      { model: 'mixed', from: null, to: 1, result: 'committed' },
      { model: 'shift', from: 1, to: 2, result: 'failed', reason },
    ]);
  });

  test('is given up while it is warmed', async () => {
    const daemon = await serveShift('swap: { prepareTimeout: 3s }');
    await daemon.repository.publish('shift', 2, 'endless-on-demand', 1);
    const x = { datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 1001] };
    await daemon.repository.addFile('shift', 2, 'warmup/a.json', JSON.stringify({ inputs: { x } }));
    const [stuck] = (await daemon.status()).workers;
    const [change] = (await daemon.reload()).changes;
    expect(change).toMatchObject({ from: 1, to: 2, result: 'aborted' });
    expect(change?.reason).toContain('took too long to prepare');
    // The only worker: clients that come meanwhile are served.
    await until('the worker is replaced', async () => {
      const rpc = await RawRpc.connect(daemon.process.rpcUrl);
      expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
      rpc.close();
      return (await daemon.status()).workers.every(
        ({ pid, state }) => state === 'ready' && pid !== stuck?.pid,
      );
    });
  });
});

test('a version that gives NaN where the active one has none is refused', async () => {
  const daemon = await serveShift();
  await daemon.repository.publish('shift', 2, 'ratio', 1);
  await expectRefused(
    daemon,
    "output 'y' has NaN in the answer to zeros for where version 1, the active one, has none",
  );
});

test('a version that gives NaN as the active one does is served', async () => {
  const repository = await testRepository();
  await repository.publish('ratio', 1);
  const daemon = await startDaemon(repository, ['--workers', '1']);
  await repository.publish('ratio', 2, 'ratio', 1);
  expect((await daemon.reload()).changes).toMatchObject([{ to: 2, result: 'committed' }]);
});

test('a version with another signature is ready, and becomes active only when that is allowed', async () => {
  const repository = await testRepository();
  await repository.publish('changed-signature', 1);
  const { process, admin, reload, status } = await startDaemon(repository);
  await repository.publish('changed-signature', 2);
  const [change, ...others] = (await reload()).changes;
  expect([change, others]).toMatchObject([{ from: 1, to: 2, result: 'ready' }, []]);
  const reason = "input 'x' was FP32 [?, 4] and is FP32 [?, 5]";
  expect(change?.reason).toContain(reason);
  expect((await status()).models).toMatchObject([
    {
      active: 1,
      versions: [
        { version: 1, state: 'active' },
        { version: 2, state: 'ready', reason: expect.stringContaining(reason) as string },
      ],
    },
  ]);
  expect((await reload()).changes).toEqual([change]);
  const rpc = await RawRpc.connect(process.rpcUrl);
  const pinned = { ...shiftRequest([0, 0, 0, 0]), model: 'changed-signature', version: 2 };
  pinned.inputs.x.shape = [1, 5];
  pinned.inputs.x.data = new Uint8Array(20);
  expect((await rpc.call('infer', pinned)).result.version).toBe(2);
  const path = '/models/changed-signature/activate';
  expect(await admin.post(path, { version: 2 })).toMatchObject({ changes: [{ result: 'ready' }] });
  await admin.post(path, { version: 2, allowSignatureChange: true });
  const [model] = (await status()).models;
  expect(model?.active).toBe(2);
  expect(model?.versions.find(({ version }) => version === 2)).not.toHaveProperty('reason');
});
