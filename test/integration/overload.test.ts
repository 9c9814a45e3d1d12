import { encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { RawRpc, slowRequest } from '../support/raw-rpc.js';
import { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** A model that is asked for more than it can do. */

const ENDLESS = 2 ** 50;
const MAX_SIZE = 4;

let repository: TestRepository;
let daemon: DaemonProcess;
let rpc: RawRpc;

beforeAll(async () => {
  repository = await TestRepository.create();
  await repository.publish('slow', 1);
  await repository.configure('slow', `queue: { maxSize: ${MAX_SIZE}, priorities: 3 }`);
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
});

afterAll(async () => {
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

/** Asks, and puts `name` or the code of the error into `ended` when it is answered. */
function asker(ended: string[]) {
  return async (name: string, iterations: number, more: object): Promise<void> => {
    const { error } = await rpc.call('infer', { ...slowRequest(iterations), ...more });
    ended.push(error === null ? name : `${name}: ${error.code}`);
  };
}

/** As floats, integers make no plain request. */
const COMPLETE_WAY = { forceIntegerToFloat: true };
const WAYS: readonly [string, object][] = [
  ['plain', {}],
  ['other', COMPLETE_WAY],
];

test('a refusal is the same on both ways through the daemon, and both are counted', async () => {
  const plain = await RawRpc.connect(daemon.rpcUrl);
  const other = await RawRpc.connect(daemon.rpcUrl, COMPLETE_WAY);
  onTestFinished(() => [plain, other].forEach((way) => way.close()));
  let taken = 0;
  await until('one request runs and the queue is full', async () => {
    const refusal = plain.call('infer', slowRequest(ENDLESS)).then(() => true);
    if (!(await Promise.race([refusal, plain.call('ping', 1).then(() => false)]))) taken++;
    return taken === 1 + MAX_SIZE;
  });
  const before = await failures();
  const refusals = await Promise.all(
    [plain, other].map(async (way) => (await way.call('infer', slowRequest(1))).error),
  );
  const message = `the queue is full: ${MAX_SIZE} requests are waiting`;
  expect(refusals[0]).toEqual({ code: 'RESOURCE_EXHAUSTED', message, retryable: true });
  expect(refusals[1]).toEqual(refusals[0]);
  expect((await failures()) - before).toBe(2);
});

/** Requests for the model that have failed so far. */
async function failures(): Promise<number> {
  const url = new URL('/v2/models/slow/stats', daemon.rpcUrl.replace('ws:', 'http:'));
  const { model_stats } = (await (await fetch(url)).json()) as {
    model_stats: { inference_stats: { fail: { count: number } } }[];
  };
  return model_stats[0]?.inference_stats.fail.count ?? NaN;
}

test.each(WAYS)(
  '%s requests that wait are told at their deadline, while a run goes on',
  async (_, how) => {
    rpc = await RawRpc.connect(daemon.rpcUrl, how);
    const ended: string[] = [];
    const ask = asker(ended);
    const running = ask('running', ENDLESS, { priority: 0 });
    await rpc.call('ping', 1);
    await Promise.all(
      [400, 100, 1].map((deadlineMs) => ask(`${deadlineMs} ms`, 1, { deadlineMs })),
    );
    expect(ended).toEqual([1, 100, 400].map((ms) => `${ms} ms: DEADLINE_EXCEEDED`));
    rpc.send(encode([2, 'cancel', [{ msgid: 1 }]]));
    await running;
    rpc.close();
  },
);

test.each(WAYS)(
  'a full queue: %s requests push out less urgent ones or are refused at once',
  async (_, how) => {
    rpc = await RawRpc.connect(daemon.rpcUrl, how);
    const ended: string[] = [];
    const ask = asker(ended);
    const running = ask('running', ENDLESS, { priority: 0 });
    await rpc.call('ping', 1);
    const waiting = [1, 2, 3, 4].map((i) => ask(`low ${i}`, 1, { priority: 2 }));
    await ask('low 5', 1, { priority: 2 });
    expect(ended).toEqual(['low 5: RESOURCE_EXHAUSTED']);
    const urgent = [ask('high', 1, { priority: 0 }), ask('default', 1, {})];
    await Promise.all([waiting[3], waiting[2]]);
    expect(ended.slice(1)).toEqual(['low 4: RESOURCE_EXHAUSTED', 'low 3: RESOURCE_EXHAUSTED']);
    rpc.send(encode([2, 'cancel', [{ msgid: 1 }]]));
    await Promise.all([running, ...waiting, ...urgent]);
    // Refusals may come before or after answers that are there at the same time.
    const answered = ended.slice(3).filter((name) => name !== 'running: CANCELLED');
    expect(answered).toEqual(['high', 'default', 'low 1', 'low 2']);
    expect(ended).toContain('running: CANCELLED');
    rpc.close();
  },
);

test.each(WAYS)(
  'a full queue: %s requests that are past their deadlines make room for others',
  async (_, how) => {
    rpc = await RawRpc.connect(daemon.rpcUrl, how);
    const ended: string[] = [];
    const ask = asker(ended);
    const running = ask('running', ENDLESS, { priority: 0 });
    await rpc.call('ping', 1);
    const late = [1, 2, 3, 4].map((i) => ask(`late ${i}`, 1, { priority: 1, deadlineMs: 1 }));
    const next: Promise<void>[] = [];
    await until('they have left', () => {
      next.push(ask('next', 1, { priority: 2 }));
      return (
        ended.filter((name) => /^late \d: DEADLINE_EXCEEDED$/.test(name)).length === late.length
      );
    });
    rpc.send(encode([2, 'cancel', [{ msgid: 1 }]]));
    await Promise.all([running, ...late, ...next]);
    expect(ended).toContain('next');
    rpc.close();
  },
);

test('urgent requests are all served while others are shed', async () => {
  rpc = await RawRpc.connect(daemon.rpcUrl);
  const flood: string[] = [];
  const urgent: string[] = [];
  let isOver = false;
  const ask = asker(flood);
  const client = async () => {
    while (!isOver) await ask('low', 1_000, { priority: 2 });
  };
  const flooding = Array.from({ length: 5 * MAX_SIZE }, client);
  const other = await RawRpc.connect(daemon.rpcUrl);
  for (let i = 0; i < 50; i++) {
    const { error } = await other.call('infer', { ...slowRequest(1_000), priority: 0 });
    urgent.push(error === null ? 'served' : error.code);
  }
  isOver = true;
  await Promise.all(flooding);
  expect(urgent).toEqual(new Array(50).fill('served'));
  expect(flood).toContain('low: RESOURCE_EXHAUSTED');
  rpc.close();
  other.close();
});
