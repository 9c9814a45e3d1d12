import { encode } from '@msgpack/msgpack';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

async function startShift(yaml: string, flags: readonly string[] = []): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  return startDaemon(repository, [...(await repository.daemonConfig(yaml)), ...flags]);
}

async function pidOf(daemon: TestDaemon, worker: number): Promise<number> {
  return (await daemon.status()).workers[worker]?.pid ?? 0;
}

async function servesOn({ process: { rpcUrl } }: TestDaemon): Promise<void> {
  const rpc = await RawRpc.connect(rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).error).toBeNull();
  rpc.close();
}

const QUICK_HEARTBEAT = 'health: { heartbeatInterval: 100ms, heartbeatTimeout: 1s }';

test('a worker that hangs is killed and replaced, and the reason is logged', async () => {
  const daemon = await startShift(QUICK_HEARTBEAT);
  const hung = await pidOf(daemon, 1);
  process.kill(hung, 'SIGSTOP');
  const ended = await daemon.process.logged(({ msg }) => msg === 'worker ended');
  expect(ended).toMatchObject({ workerPid: hung, how: 'did not answer the heartbeat' });
  await until('another one is ready', async () => {
    const worker = (await daemon.status()).workers[1];
    return worker?.state === 'ready' && worker.pid !== hung;
  });
  await servesOn(daemon);
});

test('a worker that has much to read at once is not taken for one that hangs', async () => {
  const daemon = await startShift(QUICK_HEARTBEAT, ['--workers', '1']);
  const before = await pidOf(daemon, 0);
  const frame = encode([0, 1, 'none', [new Array<string>(1_000_000).fill('x')]]);
  const connect = () => RawRpc.connect(daemon.process.rpcUrl);
  const clients = await Promise.all(Array.from({ length: 100 }, connect));
  const answers = clients.map(({ socket, closed }) =>
    Promise.race([
      once(socket, 'message'),
      closed.then(({ code }) => Promise.reject(new Error(`closed with ${code}`))),
    ]),
  );
  for (const client of clients) client.send(frame);
  await Promise.all(answers);
  expect(await pidOf(daemon, 0)).toBe(before);
  for (const client of clients) client.close();
});

test('a supervisor that was stopped for long blames no worker', async () => {
  const daemon = await startShift(QUICK_HEARTBEAT);
  const before = (await daemon.status()).workers.map(({ pid }) => pid);
  daemon.process.signal('SIGSTOP');
  const rpc = await RawRpc.connect(daemon.process.rpcUrl);
  const resumeAt = performance.now() + 2_000;
  await until('twice the time-out has passed', () => performance.now() > resumeAt);
  expect((await rpc.call('infer', shiftRequest())).error).toBeNull();
  daemon.process.signal('SIGCONT');
  expect((await daemon.status()).workers.map(({ pid }) => pid)).toEqual(before);
});

test('a worker that crashes again and again is given up while the other serves on, until a reload', async () => {
  const daemon = await startShift('health: { crashLimit: 3 }');
  for (let crash = 1; crash <= 3; crash++) {
    const { pid } = await until('the worker is ready', async () => {
      const worker = (await daemon.status()).workers[0];
      return worker?.state === 'ready' && worker.restarts === crash - 1 ? worker : undefined;
    });
    process.kill(pid, 'SIGKILL');
  }
  await daemon.process.logged(({ msg }) => msg.startsWith('worker given up'));
  const reason = 'crashed 3 times in a row; last: signal SIGKILL';
  expect((await daemon.status()).workers).toMatchObject([
    { id: 0, state: 'failed', reason },
    { id: 1, state: 'ready' },
  ]);
  await servesOn(daemon);
  await daemon.reload();
  await until('it is back', async () => (await daemon.status()).workers[0]?.state === 'ready');
});

test('a daemon whose workers are all given up goes on, and says that it is not ready', async () => {
  const daemon = await startShift('health: { crashLimit: 1 }', ['--workers', '1']);
  process.kill(await pidOf(daemon, 0), 'SIGKILL');
  await daemon.process.logged(({ msg }) => msg.startsWith('worker given up'));
  await expect(daemon.admin.get('/v2/health/ready')).rejects.toThrow('no worker is ready');
  await daemon.reload();
  await until('it is back', async () => (await daemon.status()).workers[0]?.state === 'ready');
});

test('workers that do not become ready in time are ended, and the reason is logged', async () => {
  const repository = await testRepository();
  const flags = await repository.daemonConfig('health: { joinTimeout: 1ms }');
  const { code, output } = await runCli([
    ...['serve', '--models', repository.path, '--port', '0', '--admin-port', '0'],
    ...['--workers', '1', ...flags],
  ]);
  expect(code).toBe(1);
  expect(output).toContain('took too long to become ready');
});
