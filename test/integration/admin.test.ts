import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** What operators do by hand, over HTTP and with ctl. */

async function serveShift(yaml = ''): Promise<TestDaemon> {
  const repository = await testRepository();
  for (const version of [1, 2, 3]) await repository.publish('shift', version);
  await repository.configure('shift', yaml);
  const config = await repository.daemonConfig('swap: { rollbackWindow: 0s }');
  return startDaemon(repository, ['--workers', '1', ...config]);
}

/** The versions that are loaded, once there are no others that are on their way out. */
const loaded = ({ status }: TestDaemon) =>
  until('nothing drains', async () => {
    const versions = (await status()).models[0]?.versions ?? [];
    const isSettled = versions.every(({ state }) => state === 'ready' || state === 'active');
    return isSettled && versions.map(({ version }) => version);
  });

test('what is done by hand to one model publishes nothing else', async () => {
  const { admin, repository, reload, status } = await serveShift();
  await repository.publish('shift', 4, 'shift', 1);
  await repository.publish('mixed', 1);
  const actives = async () => (await status()).models.map(({ name, active }) => [name, active]);
  await admin.put('/models/shift/labels/canary', { version: 2 });
  await admin.post('/models/shift/load', { version: 1 });
  await admin.post('/models/shift/unload', { version: 1 });
  expect(await actives()).toEqual([['shift', 3]]);
  await admin.post('/models/shift/activate', { version: 4 });
  expect(await actives()).toEqual([['shift', 4]]);
  await reload();
  expect(await actives()).toEqual([
    ['mixed', 1],
    ['shift', 4],
  ]);
});

describe('labels', () => {
  test('set by hand serve at once, and survive reloads', async () => {
    const daemon = await serveShift();
    const { admin, process, reload, status } = daemon;
    expect(await admin.put('/models/shift/labels/canary', { version: 2 })).toMatchObject({
      changes: [{ model: 'shift', from: 3, to: 3, result: 'committed' }],
    });
    const rpc = await RawRpc.connect(process.rpcUrl);
    const canary = { ...shiftRequest(), label: 'canary' };
    expect((await rpc.call('infer', canary)).result.version).toBe(2);
    await daemon.repository.configure('shift', 'labels: { stable: 1 }');
    await reload();
    expect((await status()).models[0]?.labels).toEqual({ stable: 1, canary: 2 });
    await admin.delete('/models/shift/labels/canary');
    expect((await rpc.call('infer', canary)).error?.code).toBe('NOT_FOUND');
    await expect(admin.delete('/models/shift/labels/canary')).rejects.toThrow('labels: stable');
  });

  test('of model.yaml win again once it says something else of them', async () => {
    const { admin, repository, reload, status } = await serveShift('labels: { stable: 1 }');
    await admin.put('/models/shift/labels/stable', { version: 2 });
    await repository.configure('shift', 'labels: { stable: 1, other: 3 }');
    await reload();
    expect((await status()).models[0]?.labels).toEqual({ stable: 2, other: 3 });
    await repository.configure('shift', 'labels: { stable: 3 }');
    await reload();
    expect((await status()).models[0]?.labels).toEqual({ stable: 3 });
  });

  test('need a version of the repository and a proper name', async () => {
    const { admin } = await serveShift();
    const put = (label: string, body: unknown) => admin.put(`/models/shift/labels/${label}`, body);
    await expect(put('canary', { version: 9 })).rejects.toThrow('versions: 1, 2, 3');
    await expect(put('1st', { version: 1 })).rejects.toThrow('expected a letter');
    await expect(put('a', { version: 1, force: true })).rejects.toThrow('unknown key force');
    await expect(admin.put('/models/other/labels/a', { version: 1 })).rejects.toThrow(
      "there is no model 'other'",
    );
  });
});

describe('load and unload', () => {
  test('add and remove a version beside the others, also over a reload', async () => {
    const daemon = await serveShift();
    await daemon.admin.post('/models/shift/load', { version: 1 });
    await daemon.reload();
    expect(await loaded(daemon)).toEqual([1, 3]);
    await daemon.admin.post('/models/shift/unload', { version: 1 });
    expect(await loaded(daemon)).toEqual([3]);
    const unload = daemon.admin.post('/models/shift/unload', { version: 3 });
    await expect(unload).rejects.toThrow('version 3 of shift is active');
  });

  test('take a whole model out and back', async () => {
    const { admin, process, reload } = await serveShift();
    const rpc = await RawRpc.connect(process.rpcUrl);
    await admin.post('/models/shift/unload');
    await reload();
    expect((await rpc.call('infer', shiftRequest())).error?.code).toBe('NOT_FOUND');
    expect(await admin.post('/models/shift/load')).toMatchObject({
      changes: [{ model: 'shift', from: null, to: 3, result: 'committed' }],
    });
    expect((await rpc.call('infer', shiftRequest())).result.version).toBe(3);
  });

  test('free the version before within its window', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const daemon = await startDaemon(repository, ['--workers', '1']);
    await repository.publish('shift', 2);
    await daemon.reload();
    await daemon.admin.post('/models/shift/unload', { version: 1 });
    expect(await loaded(daemon)).toEqual([2]);
  });
});

test('the repository extension lists, unloads and loads', async () => {
  const { admin, repository } = await serveShift();
  const index = (body = {}) => admin.post('/v2/repository/index', body);
  const entry = (version: number, state: string, reason = '') => ({
    ...{ name: 'shift', version: String(version), state, reason },
  });
  const unloaded = [1, 2].map((version) => entry(version, 'UNAVAILABLE', 'not loaded'));
  expect(await index()).toEqual([...unloaded, entry(3, 'READY')]);
  expect(await index({ ready: true })).toEqual([entry(3, 'READY')]);
  const model = '/v2/repository/models/shift';
  expect(await admin.post(`${model}/unload`)).toEqual({});
  expect(await index({ ready: true })).toEqual([]);
  expect(await admin.post(`${model}/load`, { parameters: {} })).toEqual({});
  expect(await index({ ready: true })).toEqual([entry(3, 'READY')]);
  await repository.publish('broken', 1, 'garbage', 1);
  await expect(admin.post('/v2/repository/models/broken/load')).rejects.toThrow('protobuf');
  await expect(admin.post(`${model}/load`, { parameters: { config: '' } })).rejects.toThrow(
    'unknown key parameters.config',
  );
});

describe('a token', () => {
  const TOKEN = 'a-token-of-the-tests';

  test('is asked of every call but health, and compared as a whole', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const config = await repository.daemonConfig(`admin: { token: ${TOKEN} }`);
    const { process } = await startDaemon(repository, ['--workers', '1', ...config]);
    const get = async (path: string, authorization?: string) => {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(process.adminUrl + path, { headers });
      return [response.status, (await response.json()) as object];
    };
    const code = 'UNAUTHENTICATED';
    for (const given of [undefined, TOKEN, `Bearer ${TOKEN}x`, 'Bearer ', `Basic ${TOKEN}`]) {
      expect(await get('/status', given)).toMatchObject([401, { code }]);
    }
    expect(await get('/nothing')).toMatchObject([401, { code }]);
    expect(await get('/v2/health/ready')).toEqual([200, { ready: true }]);
    expect(await get('/status', `Bearer ${TOKEN}`)).toMatchObject([200, { generation: 1 }]);
  });

  test('may come by the environment, of the daemon and of ctl', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const { process } = await startDaemon(repository, ['--workers', '1'], {
      WARMSWAP_ADMIN_TOKEN: TOKEN,
    });
    const status = ['ctl', 'status', '--admin', process.adminUrl];
    expect((await runCli(status)).output).toContain('expected the header');
    const environment = { WARMSWAP_ADMIN_TOKEN: TOKEN };
    expect(await runCli(status, undefined, environment)).toMatchObject({ code: 0 });
  });
});

test('a body over 64 KiB is answered with 413, whether its length is told or not', async () => {
  const { process } = await serveShift();
  const body = Buffer.alloc(70_000, 'x');
  for (const headers of [{ 'Content-Length': body.length }, { 'Transfer-Encoding': 'chunked' }]) {
    const answer = await new Promise<[number | undefined, string]>((resolve, reject) => {
      const call = request(
        `${process.adminUrl}/reload`,
        { method: 'POST', headers },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve([response.statusCode, text]));
        },
      );
      call.on('error', reject).end(body);
    });
    expect(answer).toEqual([413, expect.stringContaining('at most 65536 bytes')]);
  }
});

test('ctl loads, unloads, labels, activates and rolls back', async () => {
  const { process, status } = await serveShift();
  const ctl = (...args: string[]) => runCli(['ctl', ...args, '--admin', process.adminUrl]);
  expect((await ctl('load', 'shift', '1')).code).toBe(0);
  expect((await ctl('label', 'shift', 'old', '1')).code).toBe(0);
  expect((await ctl('activate', 'shift', '2')).output).toContain('shift: 3 → 2 committed');
  expect((await ctl('rollback', 'shift')).output).toContain('shift: 2 → 3 committed');
  expect((await status()).models[0]).toMatchObject({ active: 3, labels: { old: 1 } });
  expect((await ctl('label', 'shift', 'old', '--remove')).code).toBe(0);
  expect((await ctl('unload', 'shift', '1')).code).toBe(0);
  expect(await ctl('label', 'shift', 'old')).toMatchObject({
    code: 2,
    output: expect.stringContaining('expected a version or --remove') as string,
  });
  expect(await ctl('unload', 'shift', '3')).toMatchObject({
    code: 1,
    output: expect.stringContaining('is active') as string,
  });
});
