import { describe, expect, test } from 'vitest';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { ShiftLoad } from '../support/load.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** A daemon that has gone from version 1 of shift to version 2. */
async function swapped(window: string): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const config = await repository.daemonConfig(`swap: { rollbackWindow: ${window} }`);
  const daemon = await startDaemon(repository, config);
  await repository.publish('shift', 2);
  expect((await daemon.reload()).changes).toMatchObject([{ from: 1, to: 2, result: 'committed' }]);
  return daemon;
}

const rollBack = async ({ admin }: TestDaemon) =>
  (await admin.post('/models/shift/rollback')) as ReloadResult;

const states = async ({ status }: TestDaemon) =>
  (await status()).models[0]?.versions.map(({ version, state }) => `${version} ${state}`).sort();

describe('within its window', () => {
  test('a rollback goes back without a load or a failed request, and forward again', async () => {
    const daemon = await swapped('300s');
    expect(await states(daemon)).toEqual(['1 ready', '2 active']);
    expect((await daemon.status()).models).toMatchObject([{ active: 2, previous: 1 }]);
    const load = await ShiftLoad.start(daemon.process.rpcUrl, 4);
    await until('every client has the new version', () => load.allOn(2));
    const before = (await daemon.status()).models[0]?.versions.map(({ loadMs }) => loadMs);
    expect(await rollBack(daemon)).toEqual({
      generation: 3,
      changes: [{ model: 'shift', from: 2, to: 1, result: 'committed' }],
    });
    await until('every client is back', () => load.allOn(1));
    expect(await states(daemon)).toEqual(['1 active', '2 ready']);
    await rollBack(daemon);
    await until('every client is forward again', () => load.allOn(2));
    await load.stop();
    expect(load.errors).toEqual([]);
    expect((await daemon.status()).models[0]?.versions.map(({ loadMs }) => loadMs)).toEqual(before);
  });

  test('a rollback needs nothing of the repository, and holds until a newer version comes', async () => {
    const daemon = await swapped('300s');
    await daemon.repository.removeVersion('shift', 1);
    expect((await rollBack(daemon)).changes).toMatchObject([{ to: 1, result: 'committed' }]);
    await daemon.repository.publish('shift', 1);
    expect((await daemon.reload()).changes).toMatchObject([{ from: 1, to: 1 }]);
    await daemon.repository.publish('shift', 3);
    expect((await daemon.reload()).changes).toMatchObject([{ from: 1, to: 3 }]);
  });

  test('a rollback may change the signature back', async () => {
    const repository = await testRepository();
    await repository.publish('changed-signature', 1);
    const { admin, status } = await startDaemon(repository, ['--workers', '1']);
    await repository.publish('changed-signature', 2);
    const path = '/models/changed-signature';
    await admin.post(`${path}/activate`, { version: 2, allowSignatureChange: true });
    await admin.post(`${path}/rollback`);
    expect((await status()).models[0]?.active).toBe(1);
  });

  test('a worker that starts again has both versions', async () => {
    const daemon = await swapped('300s');
    for (const { pid } of (await daemon.status()).workers) process.kill(pid, 'SIGKILL');
    await until('the workers are back', async () =>
      (await daemon.status()).workers.every((w) => w.state === 'ready' && w.restarts === 1),
    );
    expect((await rollBack(daemon)).changes).toMatchObject([{ to: 1, result: 'committed' }]);
  });
});

describe('after its window', () => {
  test('the version before has gone, and a rollback loads it again', async () => {
    const daemon = await swapped('200ms');
    await until('version 1 has gone', async () => (await states(daemon))?.join() === '2 active');
    await daemon.process.logged(({ msg }) => msg === 'replaced versions retire');
    expect((await rollBack(daemon)).changes).toMatchObject([
      { from: 2, to: 1, result: 'committed' },
    ]);
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
  });

  test('a rollback to a version that is gone from the repository is refused', async () => {
    const daemon = await swapped('0s');
    await daemon.repository.removeVersion('shift', 1);
    await expect(rollBack(daemon)).rejects.toThrow('shift/1 is not in the repository');
  });
});

test('a rollback after the daemon was stopped and started loads the version before again', async () => {
  const { process, repository } = await swapped('300s');
  expect(await process.stop()).toBe(0);
  const restarted = await startDaemon(repository);
  expect(await states(restarted)).toEqual(['2 active']);
  expect((await rollBack(restarted)).changes).toMatchObject([{ from: 2, to: 1 }]);
});

test('a rollback without a version before, or of no model, is refused', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { admin } = await startDaemon(repository, ['--workers', '1']);
  await expect(admin.post('/models/shift/rollback')).rejects.toThrow(
    'no version of shift was active before version 1',
  );
  await expect(admin.post('/models/other/rollback')).rejects.toThrow(
    "model 'other' is not served; models served: shift",
  );
});

test('an open window does not hold up the shutdown', async () => {
  const daemon = await swapped('300s');
  expect(await daemon.process.stop()).toBe(0);
});
