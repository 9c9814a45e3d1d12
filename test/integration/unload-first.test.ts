import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { slowBody } from '../support/inference-http.js';
import { ShiftLoad } from '../support/load.js';
import { mappedModels } from '../support/memory-maps.js';
import { RawHttp } from '../support/raw-http.js';
import { RawRpc, shiftRequest, slowRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** Hosts without room for two versions: the old one goes before the new one comes. */

const UNLOAD_FIRST = 'swap: { strategy: unload-first }';
const SECONDS_OF_WORK = 6_000_000;

async function serve(model: string, workers: number): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish(model, 1);
  const store = ['--store', join(repository.path, '.store')];
  const flags = [...(await repository.daemonConfig(UNLOAD_FIRST)), ...store];
  return startDaemon(repository, flags, {}, ['--workers', String(workers)]);
}

const golden = (inputs: object, y: object) => JSON.stringify({ inputs, outputs: { y } });

/** Publishes a version of slow whose golden vector runs for seconds. */
async function publishLongChecked({ repository }: TestDaemon): Promise<void> {
  await repository.publish('slow', 2, 'slow', 1);
  const one = (datatype: string, value: number) => ({ datatype, shape: [1], data: [value] });
  const iterations = { datatype: 'INT64', shape: [], data: [SECONDS_OF_WORK] };
  const vector = golden({ iterations, x: one('FP32', 0) }, one('FP32', SECONDS_OF_WORK));
  await repository.addFile('slow', 2, 'golden/a.json', vector);
}

/** Publishes a version of shift that answers otherwise than its golden vector says. */
async function publishWrong({ repository }: TestDaemon): Promise<void> {
  await repository.publish('shift', 2);
  const x = { datatype: 'FP32', shape: [1, 4], data: [0, 0, 0, 0] };
  await repository.addFile('shift', 2, 'golden/a.json', golden({ x }, x));
}

const isChecked = (daemon: TestDaemon) =>
  until('version 2 is being checked', async () => {
    const slow = (await daemon.status()).models.find(({ name }) => name === 'slow');
    return slow?.versions.some(({ version, state }) => version === 2 && state === 'ready');
  });

const pids = async ({ status }: TestDaemon) => (await status()).workers.map(({ pid }) => pid);

/** Connections until each worker has some. */
async function connectToAll(daemon: TestDaemon): Promise<RawRpc[]> {
  const connections: RawRpc[] = [];
  await until('each worker has a connection', async () => {
    connections.push(await RawRpc.connect(daemon.process.rpcUrl));
    return (await daemon.status()).workers.every((worker) => worker.connections > 0);
  });
  return connections;
}

describe('while one of two workers checks the new version', () => {
  test('it has no other, the other worker serves the old one, and requests wait for either', async () => {
    const daemon = await serve('slow', 2);
    const connections = await connectToAll(daemon);
    const [first = 0, second = 0] = await pids(daemon);
    await publishLongChecked(daemon);
    const reloaded = daemon.reload();
    await isChecked(daemon);
    expect([await mappedModels(first), await mappedModels(second)]).toEqual([1, 1]);
    const early: number[] = [];
    const answers = connections.map(async (rpc) => {
      const { error, result } = await rpc.call('infer', slowRequest(1));
      expect(error).toBeNull();
      early.push(result.version);
    });
    const { workers } = await daemon.status();
    const free = workers[1]?.connections ?? 0;
    await until('the other worker has answered', () => early.length === free);
    expect(new Set(early)).toEqual(new Set([1]));
    expect((await reloaded).changes).toMatchObject([{ from: 1, to: 2, result: 'committed' }]);
    await Promise.all(answers);
    expect(early.slice(free)).toEqual(Array(connections.length - free).fill(2));
    expect([await mappedModels(first), await mappedModels(second)]).toEqual([1, 1]);
    const { workers: after } = await daemon.status();
    expect(after.map(({ state, generation }) => [state, generation])).toEqual([
      ['ready', 2],
      ['ready', 2],
    ]);
    expect(await pids(daemon)).toEqual([first, second]);
  });
});

describe('while a worker checks the new version', () => {
  test('and is killed, nothing is committed, and it comes back with the old one', async () => {
    const daemon = await serve('slow', 2);
    const [first = 0] = await pids(daemon);
    await publishLongChecked(daemon);
    const reloaded = daemon.reload();
    await isChecked(daemon);
    process.kill(first, 'SIGKILL');
    const [change] = (await reloaded).changes;
    expect(change).toMatchObject({ from: 1, to: 2, result: 'aborted' });
    expect(change?.reason).toBe('worker 0 ended while preparing');
    await until('the worker is back', async () =>
      (await daemon.status()).workers.every(({ state, generation }) => {
        return state === 'ready' && generation === 1;
      }),
    );
    for (const rpc of await connectToAll(daemon)) {
      expect((await rpc.call('infer', slowRequest(1))).result.version).toBe(1);
    }
  });

  test('and a newer reload comes, that one is followed, and no request is lost', async () => {
    const daemon = await serve('slow', 1);
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    await publishLongChecked(daemon);
    const superseded = daemon.reload();
    await isChecked(daemon);
    const waiting = rpc.call('infer', slowRequest(1));
    await daemon.repository.removeVersion('slow', 2);
    await daemon.repository.publish('slow', 3, 'slow', 1);
    const followed = await daemon.reload();
    expect((await superseded).changes).toMatchObject([{ to: 2, result: 'aborted' }]);
    expect(followed.changes).toMatchObject([{ from: 1, to: 3, result: 'committed' }]);
    const { error, result } = await waiting;
    expect(error).toBeNull();
    expect([1, 3]).toContain(result.version);
    expect((await rpc.call('infer', slowRequest(1))).result.version).toBe(3);
  });
});

describe('with one worker', () => {
  test('requests wait as long as they may, over RPC and over HTTP', async () => {
    const daemon = await serve('slow', 1);
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    const base = daemon.process.rpcUrl.replace('ws:', 'http:');
    await publishLongChecked(daemon);
    const reloaded = daemon.reload();
    await isChecked(daemon);
    const [http, impatient] = [await RawHttp.connect(base), await RawHttp.connect(base)];
    const waiting = rpc.call('infer', slowRequest(1));
    const waitingHttp = http.request('POST', '/v2/models/slow/infer', slowBody(1));
    const late = await rpc.call('infer', { ...slowRequest(1), deadlineMs: 1 });
    expect(late.error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const timed = slowBody(1, { parameters: { timeout: 1000 } });
    const lateHttp = await impatient.request('POST', '/v2/models/slow/infer', timed);
    expect(lateHttp.status).toBe(504);
    expect((await impatient.request('GET', '/v2/models/slow/ready')).status).toBe(503);
    expect((await rpc.call('ping', 1)).result).toBe(1);
    expect((await rpc.call('describe', { model: 'slow' })).error).toBeNull();
    await reloaded;
    expect(await waiting).toMatchObject({ error: null, result: { version: 2 } });
    const answer = await waitingHttp;
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ model_version: '2' });
    const after = await RawHttp.connect(base);
    expect((await after.request('GET', '/v2/models/slow/ready')).status).toBe(200);
  });

  test('another model is served on meanwhile', async () => {
    const daemon = await serve('slow', 1);
    await daemon.repository.publish('shift', 1);
    await daemon.reload();
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    await publishLongChecked(daemon);
    const reloaded = daemon.reload();
    await isChecked(daemon);
    let isDone = false;
    void reloaded.then(() => (isDone = true));
    expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
    expect(isDone).toBe(false);
    expect((await reloaded).changes).toMatchObject([{ model: 'slow', to: 2 }]);
  });
});

describe('under load no request fails', () => {
  test('in a swap, for a version that is refused, and in a rollback', async () => {
    const daemon = await serve('shift', 2);
    const load = await ShiftLoad.start(daemon.process.rpcUrl, 8);
    await until('every client is served', () => load.allOn(1));
    await publishWrong(daemon);
    expect((await daemon.reload()).changes).toMatchObject([{ from: 1, to: 2, result: 'failed' }]);
    const { requests } = load;
    await until('every client is served again', () => load.requests > requests + 80);
    expect(load.versions).toEqual(Array.from({ length: 8 }, () => [1]));
    await daemon.repository.publish('shift', 2);
    expect((await daemon.reload()).changes).toMatchObject([{ to: 2, result: 'committed' }]);
    await until('every client has the new version', () => load.allOn(2));
    const states = (await daemon.status()).models[0]?.versions.map(({ version }) => version);
    expect(states).toEqual([2]);
    const back = (await daemon.admin.post('/models/shift/rollback')) as ReloadResult;
    expect(back.changes).toMatchObject([{ from: 2, to: 1, result: 'committed' }]);
    await until('every client is back', () => load.allOn(1));
    await load.stop();
    expect(load.errors).toEqual([]);
    expect(load.versions).toEqual(Array.from({ length: 8 }, () => [1, 2, 1]));
  });
});

test('a worker that cannot load the old version again is replaced, and a reload mends it', async () => {
  const daemon = await serve('shift', 1);
  const [before] = await pids(daemon);
  await rm(join(daemon.repository.path, '.store'), { recursive: true });
  await publishWrong(daemon);
  const { changes } = await daemon.reload();
  expect(changes).toMatchObject([{ from: 1, to: 2, result: 'failed' }]);
  expect(changes[0]?.reason).toContain('golden vector');
  await until('another worker is ready', async () => {
    const [worker] = (await daemon.status()).workers;
    return worker?.state === 'ready' && worker.pid !== before;
  });
  await daemon.repository.removeVersion('shift', 2);
  await daemon.reload();
  const rpc = await RawRpc.connect(daemon.process.rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
});
