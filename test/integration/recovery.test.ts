import { readdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findFreePort } from '../../src/supervisor/free-port.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import type { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** A repository with `shift` 1, and the flags of a daemon that keeps its checkpoint there. */
async function prepared(): Promise<{ repository: TestRepository; flags: readonly string[] }> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const flags = await repository.daemonConfig('state: .state');
  return { repository, flags };
}

async function kill({ process: daemon }: TestDaemon): Promise<void> {
  daemon.signal('SIGKILL');
  await daemon.exited();
}

/** Generation and active version, once all workers serve them. */
async function settled({ status }: TestDaemon): Promise<{ generation: number; active: number }> {
  return until('all workers serve one generation', async () => {
    const { generation, workers, models } = await status();
    const agree = workers.every((w) => w.state === 'ready' && w.generation === generation);
    return agree && { generation, active: models[0]?.active ?? 0 };
  });
}

async function versionServed(daemon: TestDaemon, target: object = {}): Promise<number> {
  const rpc = await RawRpc.connect(daemon.process.rpcUrl);
  const { error, result } = await rpc.call('infer', { ...shiftRequest(), ...target });
  rpc.close();
  expect(error).toBeNull();
  return result.version;
}

test('a daemon that was killed comes back to what was committed, with activations and labels', async () => {
  const { repository, flags } = await prepared();
  await repository.publish('shift', 2);
  await repository.configure('shift', 'labels: { old: 1 }');
  const first = await startDaemon(repository, flags);
  await first.admin.post('/models/shift/activate', { version: 1 });
  expect(await settled(first)).toEqual({ generation: 2, active: 1 });
  await repository.publish('shift', 3);
  await repository.configure('shift', 'labels: { old: 2 }');
  await kill(first);
  const second = await startDaemon(repository, flags);
  expect(await settled(second)).toEqual({ generation: 2, active: 1 });
  expect(await versionServed(second, { label: 'old' })).toBe(1);
  expect(await second.reload()).toMatchObject({ generation: 3, changes: [{ from: 1, to: 3 }] });
  expect(await versionServed(second, { label: 'old' })).toBe(2);
});

describe('after a swap, a label by hand and a kill', () => {
  /** Version 2 has replaced version 1, and version 1 has a label by hand. */
  async function killed(config = '') {
    const { repository } = await prepared();
    const flags = await repository.daemonConfig(`state: .state\n${config}`);
    const first = await startDaemon(repository, flags);
    await repository.publish('shift', 2);
    await first.reload();
    await first.admin.put('/models/shift/labels/held', { version: 1 });
    expect(await settled(first)).toEqual({ generation: 3, active: 2 });
    await kill(first);
    return { repository, flags };
  }

  test('the label holds, also over a reload, and can be taken away', async () => {
    const { repository, flags } = await killed();
    const second = await startDaemon(repository, flags);
    expect(await versionServed(second, { label: 'held' })).toBe(1);
    await second.reload();
    expect(await versionServed(second, { label: 'held' })).toBe(1);
    await second.admin.delete('/models/shift/labels/held');
    expect((await second.status()).models[0]?.labels).toEqual({});
  });

  test('a rollback needs nothing of the repository, and survives the next kill', async () => {
    const { repository, flags } = await killed();
    await repository.removeVersion('shift', 1);
    const second = await startDaemon(repository, flags);
    await second.admin.post('/models/shift/rollback');
    expect(await settled(second)).toEqual({ generation: 4, active: 1 });
    await kill(second);
    const third = await startDaemon(repository, flags);
    expect(await settled(third)).toEqual({ generation: 4, active: 1 });
    await third.admin.post('/models/shift/rollback');
    expect(await versionServed(third)).toBe(2);
  });

  test('the watch follows what was published meanwhile', async () => {
    const { repository, flags } = await killed('watch: true');
    await repository.publish('shift', 3);
    const second = await startDaemon(repository, flags);
    await until('version 3 is active', async () => (await settled(second)).active === 3);
    expect(await versionServed(second, { label: 'held' })).toBe(1);
  });
});

test('the version before goes once its window has ended, also after a kill', async () => {
  const { repository } = await prepared();
  const flags = await repository.daemonConfig('state: .state\nswap: { rollbackWindow: 3s }');
  const first = await startDaemon(repository, flags);
  await repository.publish('shift', 2);
  await first.reload();
  await kill(first);
  const second = await startDaemon(repository, flags);
  await second.process.logged(({ msg }) => msg === 'replaced versions retire');
  await until('version 1 has drained', async () => {
    const versions = (await second.status()).models[0]?.versions.map(({ version }) => version);
    return isDeepStrictEqual(versions, [2]);
  });
  await kill(second);
  const third = await startDaemon(repository, flags);
  expect(await settled(third)).toEqual({ generation: 3, active: 2 });
});

test('a daemon that was stopped follows the repository when it starts, and counts on', async () => {
  const { repository, flags } = await prepared();
  await repository.publish('shift', 2);
  const first = await startDaemon(repository, flags);
  await first.admin.post('/models/shift/activate', { version: 1 });
  expect(await first.process.stop()).toBe(0);
  const second = await startDaemon(repository, flags);
  expect(await settled(second)).toEqual({ generation: 3, active: 1 });
  expect(await second.process.stop()).toBe(0);
  await repository.publish('shift', 3);
  const third = await startDaemon(repository, flags);
  expect(await settled(third)).toEqual({ generation: 4, active: 3 });
});

test('what a killed daemon served is packed again if the store has lost it', async () => {
  const { repository } = await prepared();
  const flags = [
    ...(await repository.daemonConfig('state: .state')),
    ...['--store', join(repository.path, '.first')],
  ];
  const first = await startDaemon(repository, flags);
  await kill(first);
  await rm(join(repository.path, '.first'), { recursive: true });
  const second = await startDaemon(repository, flags);
  expect(await versionServed(second)).toBe(1);
  expect((await readdir(join(repository.path, '.first'))).length).toBeGreaterThan(0);
});

test('a checkpoint that is no longer whole is named, and the repository is followed', async () => {
  const { repository, flags } = await prepared();
  await kill(await startDaemon(repository, flags));
  const state = join(repository.path, '.state');
  const [name = ''] = await readdir(state);
  await writeFile(join(state, name), '{"format":1,"pl');
  await repository.publish('shift', 2);
  const second = await startDaemon(repository, flags);
  const line = await second.process.logged(({ msg }) => msg === 'the checkpoint is ignored');
  expect(line).toMatchObject({ file: join(state, name) });
  expect(await settled(second)).toEqual({ generation: 1, active: 2 });
});

test('the port of a killed daemon is taken over while its workers still drain', async () => {
  const { repository, flags } = await prepared();
  const port = ['--port', String(await findFreePort('127.0.0.1', 0))];
  const first = await startDaemon(repository, [...flags, ...port]);
  first.process.signal('SIGKILL');
  const second = await startDaemon(repository, [...flags, ...port]);
  expect(second.process.rpcUrl).toBe(first.process.rpcUrl);
  expect(await versionServed(second)).toBe(1);
});

describe('a daemon that is killed during a swap comes back to one generation, old or new', () => {
  async function killDuringSwap(when: (daemon: TestDaemon) => Promise<void>) {
    const { repository, flags } = await prepared();
    const first = await startDaemon(repository, flags);
    await repository.publish('shift', 2);
    const reloaded = first.reload().then(
      () => true,
      () => false,
    );
    await when(first);
    await kill(first);
    const answered = await reloaded;
    const second = await startDaemon(repository, flags);
    const state = await settled(second);
    expect(await versionServed(second)).toBe(state.active);
    expect(state.generation).toBe(state.active);
    if (answered) expect(state.active).toBe(2);
    await second.reload();
    expect(await settled(second)).toEqual({ generation: 2, active: 2 });
    return state;
  }

  test('while it packs', async () => {
    const state = await killDuringSwap(async ({ process: daemon }) => {
      await daemon.logged(({ msg, version }) => msg === 'packing' && version === 2);
    });
    expect(state.active).toBe(1);
  });

  test('while a worker prepares', async () => {
    const state = await killDuringSwap(async ({ status }) => {
      const worker = (await status()).workers[1]?.pid ?? 0;
      process.kill(worker, 'SIGSTOP');
      await until('the other one has prepared', async () => {
        const versions = (await status()).models[0]?.versions ?? [];
        return versions.some(({ version, state }) => version === 2 && state === 'ready');
      });
      process.kill(worker, 'SIGCONT');
    });
    expect([1, 2]).toContain(state.active);
  });

  test.each([0, 80, 160, 240, 320])('%i ms after it began', async (ms) => {
    await killDuringSwap(() => sleep(ms));
  });
});
