import { expect, test } from 'vitest';
import { startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc, slowRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

test('a worker joins while requests queue, and leaves when they do not any more', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const workers = '{ min: 1, max: 2, upAfter: 400ms, downAfter: 2s }';
  const flags = await repository.daemonConfig(`workers: ${workers}`);
  const daemon = await startDaemon(repository, flags, {}, []);
  expect((await daemon.status()).workers).toHaveLength(1);
  const rpc = await RawRpc.connect(daemon.process.rpcUrl);
  let running = true;
  const client = async () => {
    while (running) expect((await rpc.call('infer', slowRequest(50_000))).error).toBeNull();
  };
  const clients = Promise.all(Array.from({ length: 6 }, client));
  await until('a second worker is ready', async () => {
    const states = (await daemon.status()).workers.map(({ state }) => state);
    return states.length === 2 && states.every((state) => state === 'ready');
  });
  running = false;
  await clients;
  await until('one is left', async () => (await daemon.status()).workers.length === 1);
  const last = await RawRpc.connect(daemon.process.rpcUrl);
  expect((await last.call('infer', slowRequest(1))).error).toBeNull();
});
