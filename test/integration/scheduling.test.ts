import { encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import type { Status } from '../../src/supervisor/status.js';
import { slowBody } from '../support/inference-http.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { float32, fromFloat32, RawRpc, slowRequest } from '../support/raw-rpc.js';
import { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** Cancelling, priorities, batching and instances, as a client meets them. */

const ENDLESS = 2 ** 50;

let repository: TestRepository;
let daemon: DaemonProcess;
let rpc: RawRpc;
/** Of the last call of `send`; RawRpc counts its msgids from 1. */
let msgid = 0;

beforeAll(async () => {
  repository = await TestRepository.create();
  for (const name of ['shift', 'slow', 'any-width', 'pick']) await repository.publish(name, 1);
  await repository.publish('pair', 1, 'slow', 1);
  await repository.configure('slow', 'queue: { maxSize: 8, priorities: 3 }');
  await repository.configure('pair', 'instances: 2');
  for (const name of ['any-width', 'pick']) {
    await repository.configure(name, 'batching: { maxBatch: 4, maxDelay: 300ms }');
  }
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
  rpc = await RawRpc.connect(daemon.rpcUrl);
});

afterAll(async () => {
  rpc.close();
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

const send = (params: unknown) => {
  msgid++;
  return rpc.call('infer', params);
};
const cancel = (params: unknown) => {
  rpc.send(encode([2, 'cancel', [params]]));
};
const slow = (iterations: number, more: object = {}) => ({ ...slowRequest(iterations), ...more });

describe('cancel', () => {
  test('answers a waiting request at once, and ends a running one', async () => {
    const running = send(slow(ENDLESS));
    const runningId = msgid;
    const waiting = send(slow(ENDLESS));
    cancel({ msgid });
    expect((await waiting).error).toMatchObject({ code: 'CANCELLED', retryable: false });
    cancel({ msgid: runningId });
    expect((await running).error).toMatchObject({ code: 'CANCELLED' });
    expect((await send(slow(10))).error).toBeNull();
  });

  test('ignores what is unknown, done, wrong or of another connection', async () => {
    const running = send(slow(100_000));
    const other = await RawRpc.connect(daemon.rpcUrl);
    other.send(encode([2, 'cancel', [{ msgid }]]));
    expect((await other.call('ping', 1)).result).toBe(1);
    for (const params of [{ msgid: 99_999 }, { msgid: 1 }, { msgid: 'x' }, 7]) cancel(params);
    expect((await running).error).toBeNull();
    other.close();
  });

  test('happens to all requests of a connection that closes', async () => {
    const other = await RawRpc.connect(daemon.rpcUrl);
    for (let i = 0; i < 3; i++) void other.call('infer', slow(ENDLESS));
    expect((await other.call('ping', 1)).result).toBe(1);
    other.close();
    await other.closed;
    expect((await send(slow(10))).error).toBeNull();
  });
});

describe('priority', () => {
  test('lets an urgent request overtake those that wait', async () => {
    const order: string[] = [];
    const ask = (name: string, more: object) =>
      send(slow(10, more)).then(({ error }) => order.push(error === null ? name : error.code));
    const running = send(slow(ENDLESS));
    const runningId = msgid;
    const asked = [
      ask('low', { priority: 2 }),
      ask('default', {}),
      ask('high', { priority: 0 }),
      ask('middle', { priority: 1 }),
    ];
    cancel({ msgid: runningId });
    await Promise.all([running, ...asked]);
    expect(order).toEqual(['high', 'default', 'middle', 'low']);
  });

  test.each([
    [3, /priority: expected 0 to 2, got 3/],
    [-1, /'priority': expected an integer of at least 0, got -1/],
    ['high', /'priority': expected an integer/],
  ])('%s is refused', async (priority, message) => {
    const { error } = await send(slow(1, { priority }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error?.message).toMatch(message);
  });
});

describe('priority over HTTP', () => {
  test('counts from 1, and what is more urgent is answered first', async () => {
    const order: string[] = [];
    const ask = async (name: string, fields: object) => {
      const url = `${daemon.rpcUrl.replace('ws:', 'http:').replace('/rpc', '')}/v2/models/slow/infer`;
      const answer = await fetch(url, { method: 'POST', body: slowBody(10, fields) });
      order.push(answer.ok ? name : `${name}: ${answer.status}`);
    };
    const running = send(slow(ENDLESS));
    const runningId = msgid;
    const asked = [
      await waits(ask('low', { parameters: { priority: 3 } }), 1),
      await waits(ask('default', {}), 2),
      await waits(ask('high', { parameters: { priority: 1 } }), 3),
      await waits(ask('middle', { parameters: { priority: 2 } }), 4),
    ];
    cancel({ msgid: runningId });
    await Promise.all([running, ...asked.map(({ answered }) => answered)]);
    expect(order).toEqual(['high', 'default', 'middle', 'low']);
  });
});

/** Resolves once `count` requests wait behind the one that runs. */
async function waits(answered: Promise<void>, count: number) {
  const admin = new AdminClient(daemon.adminUrl);
  await until('it waits', async () => {
    const [worker] = ((await admin.get('/status')) as Status).workers;
    return worker?.inflight === count + 1;
  });
  return { answered };
}

const rows = (count: number, width: number, value: number) => ({
  model: 'any-width',
  inputs: {
    x: {
      datatype: 'FP32',
      shape: [count, width],
      data: float32(new Array<number>(count * width).fill(value)),
    },
  },
});
const pick = (x: number) => ({
  model: 'pick',
  inputs: {
    x: { datatype: 'INT64', shape: [1], data: new Uint8Array(BigInt64Array.of(BigInt(x)).buffer) },
  },
});

describe('batching', () => {
  test('runs requests together and gives each its own rows', async () => {
    const sizes = [1, 2, 1];
    const answers = await Promise.all(sizes.map((count, i) => send(rows(count, 3, 10 * i))));
    answers.forEach(({ error, result }, i) => {
      expect(error).toBeNull();
      expect(result.timing.batchSize).toBe(3);
      expect(result.outputs.y?.shape).toEqual([sizes[i], 3]);
      const values = fromFloat32(result.outputs.y as never);
      expect(values).toEqual(new Array(3 * (sizes[i] as number)).fill(10 * i + 1));
    });
  });

  test('does not mix shapes', async () => {
    const asked = [rows(1, 3, 1), rows(1, 3, 2), rows(2, 5, 3), rows(2, 5, 4)];
    const answers = await Promise.all(asked.map(send));
    expect(answers.map(({ result }) => result.timing.batchSize)).toEqual([2, 2, 2, 2]);
  });

  test('a bad request fails alone', async () => {
    const answers = await Promise.all([0, 1, 9, 3].map((x) => send(pick(x))));
    expect(answers.map(({ error }) => error === null)).toEqual([true, true, false, true]);
    expect(fromFloat32(answers[3]?.result.outputs.y as never)).toEqual([40]);
  });

  test('is described', async () => {
    msgid++;
    expect((await rpc.call('describe', { model: 'any-width' })).result).toMatchObject({
      batching: { maxBatch: 4 },
    });
    msgid++;
    expect((await rpc.call('describe', { model: 'shift' })).result).toMatchObject({
      batching: null,
    });
  });

  test.each([
    ['slow', /batching: input 'iterations' has no free first dimension/],
    ['identity-bytes', /batching: input 'x' is BYTES/],
    ['mixes-rows', /batch probe: output 'y' of two rows differs from two runs: element/],
  ])('is refused for %s, with the reason', async (fixture, reason) => {
    const other = await testRepository();
    await other.publish('shift', 1);
    const { reload } = await startDaemon(other, ['--workers', '1']);
    await other.publish(fixture, 1);
    await other.configure(fixture, 'batching: { maxBatch: 4 }');
    const { changes } = await reload();
    expect(changes).toHaveLength(1);
    expect(changes[0]?.reason).toMatch(reason);
  });
});

test('instances run at the same time', async () => {
  const pair = (iterations: number) => send({ ...slowRequest(iterations), model: 'pair' });
  const endless = pair(ENDLESS);
  const endlessId = msgid;
  expect((await pair(10)).error).toBeNull();
  cancel({ msgid: endlessId });
  expect((await endless).error).toMatchObject({ code: 'CANCELLED' });
});
