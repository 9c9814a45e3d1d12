import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, type Client, type ClientOptions } from '../../src/client/index.js';
import { ClientLoad } from '../support/client-load.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { until } from '../support/until.js';

/** What the client library makes of daemons that are busy, swap, die and come back. */

/** Minutes of work for the fixture `slow`. */
const FOREVER = 1_000_000_000;

async function clientOf(urls: string | string[], options?: ClientOptions): Promise<Client> {
  const client = await connect(urls, options);
  onTestFinished(() => client.destroy());
  return client;
}

async function shiftRepository() {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  return repository;
}

function slowCall(client: Client, iterations: number, options = {}) {
  return client.infer({
    model: 'slow',
    inputs: {
      iterations: { shape: [], data: BigInt64Array.of(BigInt(iterations)) },
      x: { shape: [1], data: Float32Array.of(0) },
    },
    ...options,
  });
}

/** Until the load has been answered this often from now on. */
async function answered(load: ClientLoad, count = 50): Promise<void> {
  const enough = load.answers + count;
  await until(`${count} more calls are answered`, () => load.answers >= enough);
}

test('a request that the daemon cannot read fails at once, and the client goes on', async () => {
  const { process } = await startDaemon(await shiftRepository(), ['--workers', '1']);
  const client = await clientOf(process.rpcUrl);
  const nested = Array.from({ length: 30 }).reduce<unknown>((inner) => [inner], 1);
  for (const value of [new Date(0), nested]) {
    await expect(client.ping(value)).rejects.toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', retryable: false },
      message: expect.stringMatching(/does not read the request: .*1007/) as string,
    });
  }
  expect(await client.ping(1)).toBe(1);
});

test('a request that is too long for the daemon is refused, and no other one with it', async () => {
  const repository = await testRepository();
  for (const name of ['shift', 'slow']) await repository.publish(name, 1);
  const flags = await repository.daemonConfig('limits: { maxMessageBytes: 64KiB }');
  const { process } = await startDaemon(repository, flags, {}, ['--workers', '1']);
  const client = await clientOf(process.rpcUrl);
  const other = slowCall(client, 1_000_000);
  const x = { shape: [5_000, 4], data: new Float32Array(20_000) };
  await expect(client.infer({ model: 'shift', inputs: { x } })).rejects.toMatchObject({
    ...{ code: 'INVALID_ARGUMENT', retryable: false },
    message: expect.stringContaining('1009') as string,
  });
  expect((await other).version).toBe(1);
});

describe('a busy daemon', () => {
  async function slowClient(): Promise<Client> {
    const repository = await testRepository();
    await repository.publish('slow', 1);
    const { process } = await startDaemon(repository, ['--workers', '1']);
    return clientOf(process.rpcUrl);
  }

  test('cancels what is aborted, while it waits and while it runs', async () => {
    const client = await slowClient();
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = slowCall(client, FOREVER, { signal: running.signal });
    const second = slowCall(client, FOREVER, { signal: waiting.signal });
    await client.ping();
    waiting.abort();
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    running.abort(new Error('enough'));
    await expect(first).rejects.toMatchObject({ code: 'CANCELLED', cause: { message: 'enough' } });
    expect((await slowCall(client, 1)).outputs.y?.data).toEqual(Float32Array.of(1));
  });

  test('is let go of at the deadline, queued and running, and stops the work', async () => {
    const client = await slowClient();
    const calls = [300, 200].map((deadlineMs) =>
      expect(slowCall(client, FOREVER, { deadlineMs })).rejects.toMatchObject({
        ...{ code: 'DEADLINE_EXCEEDED', retryable: false },
      }),
    );
    await Promise.all(calls);
    expect((await slowCall(client, 1)).outputs.y?.data).toEqual(Float32Array.of(1));
  });
});

describe('no call fails', () => {
  test('while a version is swapped', async () => {
    const repository = await shiftRepository();
    const { process, reload } = await startDaemon(repository);
    const load = new ClientLoad(await clientOf(process.rpcUrl, { connections: 4 }), 8);
    await answered(load);
    await repository.publish('shift', 2);
    await reload();
    await until('version 2 answers', () => load.version === 2);
    await load.stop();
    expect(load.errors).toEqual([]);
  });

  test('while a worker is killed', async () => {
    const { process, status } = await startDaemon(await shiftRepository());
    const load = new ClientLoad(await clientOf(process.rpcUrl, { connections: 4 }), 8);
    await answered(load);
    const killed = (await status()).workers[0]?.pid ?? expect.unreachable();
    globalThis.process.kill(killed, 'SIGKILL');
    await until('another worker is there', async () => {
      const { workers } = await status();
      return workers.length === 2 && workers.every(({ pid }) => pid !== killed);
    });
    await answered(load);
    await load.stop();
    expect(load.errors).toEqual([]);
  });

  test('while one of two daemons stops', async () => {
    const repository = await shiftRepository();
    const daemons = [];
    for (let i = 0; i < 2; i++) daemons.push(await startDaemon(repository, ['--workers', '1']));
    const urls = daemons.map(({ process }) => process.rpcUrl);
    const load = new ClientLoad(await clientOf(urls), 8);
    await answered(load);
    expect(await daemons[0]?.process.stop()).toBe(0);
    await answered(load);
    await load.stop();
    expect(load.errors).toEqual([]);
  });

  test('while one of two daemons is killed', async () => {
    const repository = await shiftRepository();
    const daemons = [];
    for (let i = 0; i < 2; i++) daemons.push(await startDaemon(repository, ['--workers', '1']));
    const load = new ClientLoad(await clientOf(daemons.map(({ process }) => process.rpcUrl)), 8);
    await answered(load);
    const [first] = daemons;
    const [worker] = (await first?.status())?.workers ?? [];
    first?.process.signal('SIGKILL');
    process.kill(worker?.pid ?? expect.unreachable(), 'SIGKILL');
    await first?.process.exited();
    await answered(load);
    await load.stop();
    expect(load.errors).toEqual([]);
  });

  test('while a daemon stops and starts again on its port', async () => {
    const repository = await shiftRepository();
    const { process } = await startDaemon(repository, ['--workers', '1']);
    const load = new ClientLoad(await clientOf(process.rpcUrl), 4);
    await answered(load);
    expect(await process.stop()).toBe(0);
    const { port } = new URL(process.rpcUrl);
    await startDaemon(repository, ['--workers', '1', '--port', port]);
    await answered(load);
    await load.stop();
    expect(load.errors).toEqual([]);
  });
});

test('events come once from a daemon that was stopped and started again on its port', async () => {
  const repository = await shiftRepository();
  const { process } = await startDaemon(repository, ['--workers', '1']);
  const client = await clientOf(process.rpcUrl, { connections: 2 });
  const committed: unknown[] = [];
  const resumed: string[] = [];
  await client.subscribe(
    ['swap'],
    ({ state, generation }) => state === 'committed' && committed.push(generation),
    { onResumed: (url) => resumed.push(url) },
  );
  expect(await process.stop()).toBe(0);
  const { port } = new URL(process.rpcUrl);
  const { reload } = await startDaemon(repository, ['--workers', '1', '--port', port]);
  await until('events come again', () => resumed.length === 1);
  const generations: number[] = [];
  for (const version of [2, 3]) {
    await repository.publish('shift', version, 'shift', 2);
    generations.push((await reload()).generation);
  }
  await until('the last one has come', () => committed.includes(generations[1]));
  expect(committed).toEqual(generations);
  expect(resumed).toEqual([process.rpcUrl]);
});
