import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fixturesDir } from '../fixtures/paths.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { until } from '../support/until.js';

/** A daemon that watches its repository, which has version 1 of shift. */
async function watching(): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  return startDaemon(repository, ['--workers', '1', '--watch']);
}

const isActive = (daemon: TestDaemon, name: string, version: number) => async () =>
  (await daemon.status()).models.some((model) => model.name === name && model.active === version);

const reloads = ({ process }: TestDaemon) => process.log.filter(({ msg }) => msg === 'reload');

test('what is published is served without a reload, whether model or version is new', async () => {
  const daemon = await watching();
  await daemon.repository.publish('shift', 2);
  await until('version 2 is active', isActive(daemon, 'shift', 2));
  await daemon.repository.publish('mixed', 1);
  await until('the new model is served', isActive(daemon, 'mixed', 1));
  await daemon.repository.configure('shift', 'active: 1');
  await until('model.yaml is followed', isActive(daemon, 'shift', 1));
  await daemon.repository.remove('mixed');
  await until('the model has gone', async () => (await daemon.status()).models.length === 1);
});

test('a version that is being written is served when it is whole, and never before', async () => {
  const daemon = await watching();
  const bytes = await readFile(join(fixturesDir, 'shift', '2', 'model.onnx'));
  const folder = join(daemon.repository.path, 'shift', '2');
  await mkdir(folder);
  // Slower than a look, so that several looks find it half written.
  for (const byte of bytes.subarray(0, 25)) {
    await appendFile(join(folder, 'model.onnx'), Uint8Array.of(byte));
    await pause(100);
  }
  await appendFile(join(folder, 'model.onnx'), bytes.subarray(25));
  await until('version 2 is active', isActive(daemon, 'shift', 2));
  expect(reloads(daemon)).toMatchObject([{ generation: 1 }, { generation: 2 }]);
});

test('a version that is refused is not tried again and again', async () => {
  const daemon = await watching();
  await daemon.repository.publish('shift', 2, 'garbage', 1);
  await until('it is refused', () => reloads(daemon).length === 2);
  await daemon.repository.publish('shift', 3);
  await until('the next one is active', isActive(daemon, 'shift', 3));
  expect(reloads(daemon)).toHaveLength(3);
});

test('a watch does not hold up the shutdown', async () => {
  const daemon = await watching();
  expect(await daemon.process.stop()).toBe(0);
});
