import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import { daemonSchema } from '../../src/config/schema.js';
import type { ArtifactManifest } from '../../src/repository/artifact-store.js';
import type * as SupervisorModule from '../../src/supervisor/supervisor.js';
import { createLogger } from '../../src/telemetry/log.js';
import { testRepository } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import type { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** Workers of a daemon with GPUs, which they miss only when a model is to run there. */

const DEVICES = ['cuda:0', 'cuda:2'] as const;

/** The built one: what it starts is built, too. */
async function startSupervisor(workers: 'auto' | number, repository?: TestRepository) {
  const built = new URL('../../dist/supervisor/supervisor.js', import.meta.url).href;
  const { Supervisor } = (await import(built)) as typeof SupervisorModule;
  const { path: models } = repository ?? (await testRepository());
  const config = daemonSchema.parse({
    ...{ models, workers, store: join(models, '.store') },
    ...{ listen: { port: 0 }, admin: { port: 0 } },
  });
  const log = createLogger('supervisor', 'error');
  const supervisor = new Supervisor({ config, devices: DEVICES, readConfig: () => config, log });
  onTestFinished(() => supervisor.stop());
  await supervisor.start();
  return supervisor;
}

async function devicesOf(supervisor: SupervisorModule.Supervisor): Promise<[number, Device][]> {
  const { workers } = await supervisor.status();
  return workers.map(({ id, device }) => [id, device]);
}

test('there is a worker for each GPU, and status tells which is whose', async () => {
  const supervisor = await startSupervisor('auto');
  expect(await devicesOf(supervisor)).toEqual([
    [0, 'cuda:0'],
    [1, 'cuda:2'],
  ]);
});

test('workers go round the GPUs, and whoever comes in the place of one has its GPU', async () => {
  const supervisor = await startSupervisor(3);
  const before = await devicesOf(supervisor);
  expect(before.map(([, device]) => device)).toEqual(['cuda:0', 'cuda:2', 'cuda:0']);
  expect(await supervisor.drain(1)).toEqual({ worker: 1, replacement: 3 });
  // The next one takes the number that is free now, and still the GPU of the worker that it replaces.
  expect(await supervisor.drain(0)).toEqual({ worker: 0, replacement: 1 });
  expect(await devicesOf(supervisor)).toEqual([
    [1, 'cuda:0'],
    [2, 'cuda:0'],
    [3, 'cuda:2'],
  ]);
});

test('a worker that is killed comes back on its GPU', async () => {
  const supervisor = await startSupervisor(2);
  const { workers } = await supervisor.status();
  process.kill(workers[1]?.pid ?? 0, 'SIGKILL');
  const back = await until('the worker is back', async () => {
    const [, second] = (await supervisor.status()).workers;
    return second?.restarts === 1 && second.state === 'ready' ? second : undefined;
  });
  expect(back).toMatchObject({ id: 1, device: 'cuda:2' });
});

test('a model on the processor is served beside one that its GPU keeps from being loaded', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await repository.configure('shift', 'device: cpu\n');
  await repository.publish('linear', 1);
  const supervisor = await startSupervisor(1, repository);
  const { models } = await supervisor.status();
  expect(models).toMatchObject([
    { name: 'linear', active: null, versions: [{ state: 'failed' }] },
    { name: 'shift', active: 1, versions: [{ state: 'active' }] },
  ]);
  expect(models[0]?.versions[0]?.reason).toMatch(/libcuda\.so\.1|GPU/);
  const { host, port } = supervisor.address;
  const rpc = await RawRpc.connect(`ws://${host}:${port}/rpc`);
  expect((await rpc.call('infer', shiftRequest())).error).toBeNull();
  rpc.close();
  expect(await artifactDevices(join(repository.path, '.store'))).toEqual(['cpu', 'cuda']);
});

async function artifactDevices(store: string): Promise<string[]> {
  const keys = (await readdir(store)).filter((name) => /^[0-9a-f]{40}$/.test(name));
  const manifests = await Promise.all(
    keys.map((key) => readFile(join(store, key, 'manifest.json'), 'utf8')),
  );
  return manifests.map((text) => (JSON.parse(text) as ArtifactManifest).source.device).sort();
}
