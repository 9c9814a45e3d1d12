import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startDaemon, testRepository } from '../support/daemon.js';
import { runCli } from '../support/cli.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';

const FAR_TOO_MUCH = 10 ** 15;

/** Lets the artifact of one version claim that a load takes this much memory. */
async function claimMemory(store: string, known: readonly string[], bytes: number): Promise<void> {
  const fresh = (await readdir(store)).filter((name) => !known.includes(name));
  for (const name of fresh) {
    const file = join(store, name, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...manifest, loadBytes: bytes }));
  }
}

test('a version for which there is no room is refused with the numbers, and the old one serves on', async () => {
  const repository = await testRepository();
  const store = join(repository.path, '.store');
  await repository.publish('shift', 1);
  const { process: daemon, reload } = await startDaemon(repository, ['--store', store]);
  const known = await readdir(store);
  await repository.publish('shift', 2);
  const folders = ['--models', repository.path, '--store', store];
  expect(await runCli(['pack', 'shift/2', ...folders])).toMatchObject({ code: 0 });
  await claimMemory(store, known, FAR_TOO_MUCH);
  const [change] = (await reload()).changes;
  expect(change).toMatchObject({ model: 'shift', from: 1, to: 2, result: 'failed' });
  expect(change?.reason).toMatch(
    /takes about 909\.5 TiB of memory, there are .* available: .* too little/s,
  );
  const { availableBytes = 0, ...details } = (change?.details ?? {}) as Record<string, number>;
  expect(availableBytes).toBeGreaterThan(0);
  expect(details).toEqual({
    neededBytes: FAR_TOO_MUCH,
    missingBytes: FAR_TOO_MUCH - availableBytes,
  });
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
});
