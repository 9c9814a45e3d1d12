import { encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { float32, fromFloat32, RawRpc, type WireResult } from '../support/raw-rpc.js';
import { TestRepository } from '../support/repository.js';

/** Plain requests take a short way through the addon; whatever is not plain is decoded. */

let repository: TestRepository;
let daemon: DaemonProcess;
let rpc: RawRpc;

beforeAll(async () => {
  repository = await TestRepository.create();
  for (const execution of ['inline', 'threaded', 'auto']) {
    await repository.publish(execution, 1, 'shift', 1);
    await repository.configure(execution, `execution: ${execution}\nlabels: { stable: 1 }`);
  }
  await repository.publish('batched', 1, 'shift', 1);
  await repository.configure('batched', 'execution: inline\nbatching: { maxBatch: 8 }');
  await repository.publish('mixed', 1);
  for (const name of ['identity-fp16', 'identity-bool', 'identity-int64', 'identity-bytes']) {
    await repository.publish(name, 1);
  }
  await repository.publish('late', 1, 'shift', 1);
  await repository.configure('late', 'execution: inline\nqueue: { deadline: 1ms }');
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
  rpc = await RawRpc.connect(daemon.rpcUrl);
});

afterAll(async () => {
  rpc.close();
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

const rows = (model: string, count: number, value: number, more: object = {}) => ({
  model,
  inputs: {
    x: {
      datatype: 'FP32',
      shape: [count, 4],
      data: float32(new Array<number>(4 * count).fill(value)),
    },
  },
  ...more,
});

/** Everything but the times, which differ. */
const withoutTimes = ({ timing: { batchSize }, ...result }: WireResult) => ({
  ...result,
  batchSize,
});

describe.each(['inline', 'threaded', 'auto', 'batched'])('execution: %s', (model) => {
  test('answers as the decoder does', async () => {
    const { error, result } = await rpc.call('infer', rows(model, 2, 1.5));
    expect(error).toBeNull();
    // The lane leaves numbers that are written as floats to the decoder.
    const other = await RawRpc.connect(daemon.rpcUrl, { forceIntegerToFloat: true });
    const decoded = await other.call('infer', rows(model, 2, 1.5));
    other.close();
    expect(withoutTimes(result)).toEqual(withoutTimes(decoded.result));
    expect(fromFloat32(result.outputs.y as never)).toEqual(new Array(8).fill(2.5));
  });

  test('answers each of many requests in flight with its own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => rpc.call('infer', rows(model, 1 + (i % 3), i))),
    );
    for (const [i, { error, result }] of answers.entries()) {
      expect(error).toBeNull();
      expect(result.outputs.y?.shape).toEqual([1 + (i % 3), 4]);
      expect(fromFloat32(result.outputs.y as never)).toEqual(
        new Array(4 * (1 + (i % 3))).fill(i + 1),
      );
    }
  });

  test('sends answers that are too long for a page', async () => {
    const [small, big] = await Promise.all([
      rpc.call('infer', rows(model, 1, 1)),
      rpc.call('infer', rows(model, 100_000, 3)),
    ]);
    expect(fromFloat32(small.result.outputs.y as never)).toEqual([2, 2, 2, 2]);
    const values = new Set(fromFloat32(big.result.outputs.y as never));
    expect([...values, big.result.outputs.y?.data.length]).toEqual([4, 1_600_000]);
  });
});

test('the parameters of a request mean the same', async () => {
  const ask = async (more: object) => (await rpc.call('infer', rows('inline', 1, 1, more))).result;
  for (const more of [
    { version: 1 },
    { outputs: ['y'] },
    { priority: 0 },
    { deadlineMs: 60_000 },
  ]) {
    expect(withoutTimes(await ask(more))).toMatchObject({ model: 'inline', version: 1 });
  }
  const labelled = await rpc.call('infer', rows('threaded', 1, 1, { label: 'stable' }));
  expect(labelled.result).toMatchObject({ model: 'threaded', version: 1 });
});

test.each([
  [{ model: 'nothing' }, 'NOT_FOUND', /model 'nothing'/],
  [{ version: 2 }, 'NOT_FOUND', /version 2/],
  [{ label: 'canary' }, 'NOT_FOUND', /label 'canary'/],
  [{ outputs: ['z'] }, 'INVALID_ARGUMENT', /no output 'z'/],
  [{ outputs: ['y', 'y'] }, 'INVALID_ARGUMENT', /each name once/],
  [{ priority: 3 }, 'INVALID_ARGUMENT', /priority: expected 0 to 2, got 3/],
  [{ deadlineMs: 0 }, 'INVALID_ARGUMENT', /deadlineMs/],
  [{ inputs: {} }, 'INVALID_ARGUMENT', /input 'x' is missing/],
  [{ unknown: 1 }, 'INVALID_ARGUMENT', /'unknown'/],
])('%j is refused with its reason', async (more, code, message) => {
  const { error } = await rpc.call('infer', { ...rows('inline', 1, 1), ...more });
  expect(error).toMatchObject({ code });
  expect(error?.message).toMatch(message);
});

test.each([
  ['FP16', 'identity-fp16', 2],
  ['BOOL', 'identity-bool', 1],
  ['INT64', 'identity-int64', 8],
])('%s survives', async (datatype, model, size) => {
  const data = Uint8Array.from({ length: 3 * size }, (_, i) => (datatype === 'BOOL' ? i % 2 : i));
  const { error, result } = await rpc.call('infer', {
    model,
    inputs: { x: { datatype, shape: [3], data } },
  });
  expect(error).toBeNull();
  expect(result.outputs.y).toEqual({ datatype, shape: [3], data });
});

test('BYTES are decoded, since their form is another', async () => {
  const data = [new Uint8Array([1, 0, 255]), 'text'];
  const { result } = await rpc.call('infer', {
    model: 'identity-bytes',
    inputs: { x: { datatype: 'BYTES', shape: [2], data } },
  });
  expect(result.outputs.y?.data).toEqual([
    new Uint8Array([1, 0, 255]),
    new TextEncoder().encode('text'),
  ]);
});

test('a connection that closes with requests in flight harms no other', async () => {
  const other = await RawRpc.connect(daemon.rpcUrl);
  for (let i = 0; i < 50; i++) void other.call('infer', rows('inline', 1, i));
  other.socket.terminate();
  await other.closed;
  const { result } = await rpc.call('infer', rows('inline', 1, 7));
  expect(fromFloat32(result.outputs.y as never)).toEqual([8, 8, 8, 8]);
});

test('a repeated msgid gets two answers', async () => {
  const other = await RawRpc.connect(daemon.rpcUrl);
  let answers = 0;
  const both = new Promise<void>((resolve) => {
    other.socket.on('message', () => {
      answers += 1;
      if (answers === 2) resolve();
    });
  });
  const frame = encode([0, 5, 'infer', [rows('inline', 1, 1)]]);
  other.send(frame);
  other.send(frame);
  await both;
  other.close();
});
