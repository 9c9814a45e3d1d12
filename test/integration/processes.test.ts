import { spawnSync } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc, shiftRequest, slowRequest } from '../support/raw-rpc.js';
import { isAlive } from '../support/processes.js';
import { until } from '../support/until.js';

test('status tells generation, workers with their memory, and models with their versions', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { status } = await startDaemon(repository, ['--workers', '2']);
  const answer = await status();
  expect(answer).toMatchObject({ generation: 1, listen: { host: '127.0.0.1' } });
  expect(answer.workers.map(({ id, state, device }) => [id, state, device])).toEqual([
    [0, 'ready', 'cpu'],
    [1, 'ready', 'cpu'],
  ]);
  for (const worker of answer.workers) {
    expect(worker).toMatchObject({ generation: 1, connections: 0, inflight: 0, restarts: 0 });
    expect(worker.rssBytes).toBeGreaterThan(worker.privateBytes);
    expect(worker.pssBytes).toBeGreaterThan(0);
  }
  const [model] = answer.models;
  expect(model).toMatchObject({ name: 'shift', active: 1, labels: {} });
  expect(model?.versions[0]).toMatchObject({ version: 1, state: 'active' });
  expect(model?.versions[0]?.bytes).toBeGreaterThan(0);
  expect(model?.versions[0]?.loadMs).toBeGreaterThan(0);
});

test('a worker that is killed comes back at the committed generation, the other serves on', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon, status, reload } = await startDaemon(repository);
  await repository.publish('shift', 2);
  await reload();
  const victim = (await status()).workers[0]?.pid ?? 0;
  process.kill(victim, 'SIGKILL');
  const restarted = await until('the worker is back', async () => {
    const [worker] = (await status()).workers;
    return worker?.generation === 2 && worker.pid !== victim ? worker : undefined;
  });
  expect(restarted.restarts).toBe(1);
  for (let i = 0; i < 20; i++) {
    const rpc = await RawRpc.connect(daemon.rpcUrl);
    expect((await rpc.call('infer', shiftRequest())).result.version).toBe(2);
    rpc.close();
  }
});

test('a reload while a worker is down reaches that worker when it is back', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { status, reload } = await startDaemon(repository);
  process.kill((await status()).workers[1]?.pid ?? 0, 'SIGKILL');
  await repository.publish('shift', 2);
  await reload();
  await until('both workers serve generation 2', async () =>
    (await status()).workers.every((w) => w.state === 'ready' && w.generation === 2),
  );
});

test('a worker that joins during a swap takes part in it', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon, status, reload } = await startDaemon(repository);
  const [first = 0, second = 0] = (await status()).workers.map(({ pid }) => pid);
  process.kill(first, 'SIGSTOP');
  await repository.publish('shift', 2);
  const reloaded = reload();
  process.kill(second, 'SIGKILL');
  await daemon.logged(
    (line) => line.msg === 'worker ready' && line.worker === 1 && line.workerPid !== second,
  );
  process.kill(first, 'SIGCONT');
  expect((await reloaded).changes).toMatchObject([{ from: 1, to: 2, result: 'committed' }]);
  expect((await status()).workers.map(({ generation }) => generation)).toEqual([2, 2]);
});

test('a bad version is not committed while no worker is up to try it', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon, status, reload } = await startDaemon(repository, ['--workers', '1']);
  process.kill((await status()).workers[0]?.pid ?? 0, 'SIGKILL');
  await daemon.logged(({ msg }) => msg === 'worker ended');
  await repository.publish('shift', 2, 'garbage', 1);
  await reload();
  await until('the worker is back', async () => (await status()).workers[0]?.state === 'ready');
  expect((await status()).models[0]).toMatchObject({ active: 1 });
});

test('a model that cannot be loaded any more does not keep a restarted worker from the others', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await repository.publish('mixed', 1);
  const store = join(repository.path, '.store');
  const flags = ['--workers', '1', '--store', store];
  const { process: daemon, status, reload } = await startDaemon(repository, flags);
  await rm(store, { recursive: true });
  await mkdir(store);
  await repository.publish('shift', 2);
  await reload();
  process.kill((await status()).workers[0]?.pid ?? 0, 'SIGKILL');
  await daemon.logged(({ msg }) => msg === 'worker ended');
  await until('the worker is back', async () => (await status()).workers[0]?.state === 'ready');
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(2);
  expect((await rpc.call('describe', { model: 'mixed' })).error?.code).toBe('NOT_FOUND');
});

test('a pipe in the place of a model is refused, and later reloads go on', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { reload } = await startDaemon(repository);
  await mkdir(join(repository.path, 'pipe', '1'), { recursive: true });
  spawnSync('mkfifo', [join(repository.path, 'pipe', '1', 'model.onnx')]);
  const [change] = (await reload()).changes;
  expect(change).toMatchObject({ model: 'pipe', result: 'failed' });
  expect(change?.reason).toContain('is no regular file');
  await repository.publish('shift', 2);
  expect((await reload()).changes).toContainEqual({
    ...{ model: 'shift', from: 1, to: 2, result: 'committed' },
  });
});

test('a data port that another daemon has is refused', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon } = await startDaemon(repository);
  const { port } = new URL(daemon.rpcUrl);
  const flags = ['--models', repository.path, '--port', port, '--admin-port', '0'];
  expect(await runCli(['serve', ...flags])).toMatchObject({
    code: 1,
    output: expect.stringMatching(
      /listen\.port: .*EADDRINUSE.*give another port \(--port\)/,
    ) as string,
  });
});

test('a store that cannot be written is refused before anything starts', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const file = join(repository.path, 'shift', '1', 'model.onnx');
  for (const store of [join(file, 'store'), '/proc/store']) {
    expect(await runCli(['serve', '--models', repository.path, '--store', store])).toMatchObject({
      code: 2,
      output: expect.stringContaining('store.path: ') as string,
    });
  }
});

test('a reload tells of models that lie where nobody looks for them', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon, reload } = await startDaemon(repository, ['--workers', '1']);
  expect((await reload()).warnings).toBeUndefined();
  const shift = join(repository.path, 'shift');
  await cp(join(shift, '1'), join(shift, 'v2'), { recursive: true });
  const warnings = ['shift/v2: a version is a positive integer'];
  expect(await reload()).toEqual({ generation: 1, changes: [], warnings });
  expect(await runCli(['ctl', 'reload', '--admin', daemon.adminUrl])).toMatchObject({
    code: 0,
    output: expect.stringContaining(`warning: ${warnings[0]}`) as string,
  });
});

test('SIGTERM answers what is in flight, closes with 1001 and exits with 0', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const { process: daemon, status } = await startDaemon(repository);
  const pids = (await status()).workers.map(({ pid }) => pid);
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  const inFlight = rpc.call('infer', slowRequest(500_000));
  await rpc.call('ping');
  const exited = daemon.stop();
  expect((await inFlight).error).toBeNull();
  expect(await rpc.closed).toMatchObject({ code: 1001 });
  expect(await exited).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a second SIGTERM ends everything at once', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const { process: daemon, status } = await startDaemon(repository);
  const pids = (await status()).workers.map(({ pid }) => pid);
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  void rpc.call('infer', slowRequest(20_000_000));
  await rpc.call('ping');
  daemon.signal('SIGTERM');
  await daemon.logged(({ msg }) => msg === 'draining');
  daemon.signal('SIGTERM');
  expect(await daemon.exited()).toBe(1);
  await until('the workers have ended', () => !pids.some(isAlive));
});

test('workers whose supervisor was killed finish what they hold and end', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const { process: daemon, status } = await startDaemon(repository);
  const pids = (await status()).workers.map(({ pid }) => pid);
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  const inFlight = rpc.call('infer', slowRequest(300_000));
  await rpc.call('ping');
  daemon.signal('SIGKILL');
  expect((await inFlight).error).toBeNull();
  await until('the workers have ended', () => !pids.some(isAlive));
});

test('a drain goes on when the supervisor is killed meanwhile', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const { process: daemon } = await startDaemon(repository, ['--workers', '1']);
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  const inFlight = rpc.call('infer', slowRequest(500_000));
  await rpc.call('ping');
  daemon.signal('SIGTERM');
  await until(
    'the worker drains',
    async () => (await rpc.call('ping')).error?.code === 'UNAVAILABLE',
  );
  daemon.signal('SIGKILL');
  expect((await inFlight).error).toBeNull();
});

test('a bad configuration at reload is refused and everything stays as it is', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const config = join(repository.path, 'warmswap.yaml');
  await writeFile(config, 'swap: { drainTimeout: 10s }');
  const { process: daemon, admin, status } = await startDaemon(repository, ['--config', config]);
  await repository.publish('shift', 2);
  await writeFile(config, 'swap: { drainTimout: 10s }');
  await expect(admin.post('/reload')).rejects.toThrow('did you mean drainTimeout?');
  daemon.signal('SIGHUP');
  await daemon.logged(({ msg }) => msg.startsWith('reload refused'));
  expect(await status()).toMatchObject({ generation: 1, models: [{ active: 1 }] });
});

test('wrong flags and wrong configuration end with 2', async () => {
  const repository = await testRepository();
  const config = join(repository.path, 'warmswap.yaml');
  await writeFile(config, 'modles: ./models');
  expect(await runCli(['serve', '--no-such-flag'])).toMatchObject({ code: 2 });
  expect(await runCli(['serve', '--config', config])).toMatchObject({
    code: 2,
    output: expect.stringContaining('did you mean models?') as string,
  });
  expect(await runCli(['serve', '--host', '0.0.0.0'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('auth.insecure') as string,
  });
  expect(
    await runCli(['serve', '--models', join(repository.path, 'nowhere'), '--admin-port', '0']),
  ).toMatchObject({
    code: 2,
    output: expect.stringMatching(/--models: .*nowhere does not exist/) as string,
  });
  expect(await runCli(['serve', '--models', config, '--admin-port', '0'])).toMatchObject({
    code: 2,
    output: expect.stringMatching(/--models: .*warmswap.yaml is no folder/) as string,
  });
});

test('a port that somebody else has is named when the daemon cannot start', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon } = await startDaemon(repository);
  const adminPort = new URL(daemon.adminUrl).port;
  expect(
    await runCli(['serve', '--models', repository.path, '--admin-port', adminPort]),
  ).toMatchObject({
    code: 1,
    output: expect.stringMatching(/admin\.port: .*EADDRINUSE.*--admin-port/) as string,
  });
});
