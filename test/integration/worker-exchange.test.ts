import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { WorkerExchange } from '../../src/supervisor/supervisor.js';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { HttpLoad } from '../support/http-load.js';
import { RawRpc, slowRequest } from '../support/raw-rpc.js';
import { ReconnectingLoad } from '../support/reconnecting-load.js';
import { until } from '../support/until.js';

const CLIENTS = 8;

async function startShift(): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  return startDaemon(repository);
}

/** Does something under load; no request may fail meanwhile. */
async function underLoad(daemon: TestDaemon, work: () => Promise<void>): Promise<void> {
  const load = new ReconnectingLoad(() => daemon.process.rpcUrl, CLIENTS);
  await until('every client is served', () => load.newest.every((version) => version > 0));
  await work();
  const { requests } = load;
  await until('every client is served again', () => load.requests > requests + 10 * CLIENTS);
  await load.stop();
  const { lost, errors, wrong } = load;
  expect({ lost, errors, wrong }).toEqual({ lost: [], errors: [], wrong: [] });
}

describe('ctl', () => {
  test('drain and restart lose no request of HTTP clients that keep their connections', async () => {
    const daemon = await startShift();
    const load = new HttpLoad(daemon.process.rpcUrl, CLIENTS);
    await until('every client is served', () => load.answers.every((answers) => answers > 10));
    const { replacement } = (await daemon.admin.post('/drain', { worker: 0 })) as WorkerExchange;
    expect(replacement).toBe(2);
    await daemon.admin.post('/restart');
    const before = [...load.answers];
    await until('every client is served again', () =>
      load.answers.every((answers, client) => answers > 10 + (before[client] ?? 0)),
    );
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.closed).toBeGreaterThan(0);
  });

  test('drain replaces one worker without a failed request', async () => {
    const daemon = await startShift();
    const before = (await daemon.status()).workers.map(({ pid }) => pid);
    await underLoad(daemon, async () => {
      const { code, output } = await runCli([
        'ctl',
        'drain',
        '0',
        '--admin',
        daemon.process.adminUrl,
      ]);
      expect(output).toContain('worker 0 is replaced by worker 2');
      expect(code).toBe(0);
    });
    const { workers } = await daemon.status();
    expect(workers.map(({ id, state, restarts }) => [id, state, restarts])).toEqual([
      [1, 'ready', 0],
      [2, 'ready', 0],
    ]);
    expect(workers[0]?.pid).toBe(before[1]);
    const drained = daemon.process.log.filter(({ msg }) => msg === 'worker ended');
    expect(drained).toMatchObject([{ workerPid: before[0], how: 'code 0' }]);
  });

  test('restart replaces all workers, one after another, without a failed request', async () => {
    const daemon = await startShift();
    const before = (await daemon.status()).workers.map(({ pid }) => pid);
    await underLoad(daemon, async () => {
      const { code } = await runCli(['ctl', 'restart', '--admin', daemon.process.adminUrl]);
      expect(code).toBe(0);
    });
    const { workers } = await daemon.status();
    expect(workers.map(({ state }) => state)).toEqual(['ready', 'ready']);
    expect(workers.filter(({ pid }) => before.includes(pid))).toEqual([]);
  });

  test('drain of a worker that is not there is refused', async () => {
    const { admin } = await startShift();
    const refused = admin.post('/drain', { worker: 7 });
    await expect(refused).rejects.toThrow('there is no worker 7; workers: 0, 1');
    await expect(admin.post('/drain', {})).rejects.toThrow('worker');
  });
});

test('a swap and an exchange of workers at once both come true', async () => {
  const daemon = await startShift();
  await daemon.repository.publish('shift', 2);
  const [reloaded] = await Promise.all([
    daemon.reload(),
    daemon.admin.post('/drain', { worker: 1 }),
  ]);
  expect(reloaded.changes).toMatchObject([{ to: 2, result: 'committed' }]);
  const { workers } = await daemon.status();
  expect(workers.map(({ id, generation }) => [id, generation])).toEqual([
    [0, 2],
    [2, 2],
  ]);
});

test('a worker that drains answers what it holds before it closes', async () => {
  const repository = await testRepository();
  await repository.publish('slow', 1);
  const { process: daemon, admin } = await startDaemon(repository, ['--workers', '1']);
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  const inFlight = rpc.call('infer', slowRequest(1_000_000));
  await rpc.call('ping');
  await admin.post('/drain', { worker: 0 });
  expect((await inFlight).error).toBeNull();
  expect(await rpc.closed).toMatchObject({ code: 1001 });
});

describe('SIGTERM during the start ends it with 0', () => {
  const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

  test.each(['worker started', 'packing', 'worker ready'])('at "%s"', async (message) => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const ports = ['--port', '0', '--admin-port', '0', '--log-level', 'debug'];
    const folders = ['--models', repository.path, '--store', `${repository.path}/.store`];
    const child = spawn(process.execPath, [cli, 'serve', ...ports, ...folders], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const shows = (line: string) => line.includes(`"msg":"${message}"`);
    createInterface(child.stdout).on('line', (line) => {
      const isFirst = !lines.some(shows);
      lines.push(line);
      if (isFirst && shows(line)) child.kill('SIGTERM');
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect({ code, fatal: lines.filter((line) => line.includes('cannot start')) }).toEqual({
      code: 0,
      fatal: [],
    });
  });
});
