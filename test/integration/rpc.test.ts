import { encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { float32, fromFloat32, RawRpc, shiftRequest, slowRequest } from '../support/raw-rpc.js';
import { TestRepository } from '../support/repository.js';

/** MessagePack-RPC as a client in another language would speak it. */

let repository: TestRepository;
let daemon: DaemonProcess;
let rpc: RawRpc;

beforeAll(async () => {
  repository = await TestRepository.create();
  for (const version of [1, 2, 3]) await repository.publish('shift', version);
  await repository.configure('shift', 'versions: all\nlabels: { stable: 1, canary: 3 }\nactive: 2');
  for (const name of ['mixed', 'scalar', 'linear', 'slow', 'identity-bytes', 'identity-int64']) {
    await repository.publish(name, 1);
  }
  await repository.publish('fails-at-run', 1);
  await repository.configure('fails-at-run', 'warmup: { runs: 0 }');
  await repository.configure('slow', 'queue: { maxSize: 2 }');
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
  rpc = await RawRpc.connect(daemon.rpcUrl);
});

afterAll(async () => {
  rpc.close();
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

describe('infer', () => {
  test('answers with the outputs, the version and the timing', async () => {
    const { error, result } = await rpc.call('infer', shiftRequest());
    expect(error).toBeNull();
    expect(result).toMatchObject({ model: 'shift', version: 2 });
    expect(result.outputs.y).toMatchObject({ datatype: 'FP32', shape: [1, 4] });
    expect(fromFloat32(result.outputs.y as never)).toEqual([3, 4, 5, 6]);
    expect(result.timing.computeUs).toBeGreaterThan(0);
    expect(result.timing.queueUs).toBeGreaterThanOrEqual(0);
    expect(result.timing.batchSize).toBe(1);
  });

  test('runs exactly the version or label that is asked for', async () => {
    for (const [choice, version] of [
      [{ version: 1 }, 1],
      [{ version: 3 }, 3],
      [{ label: 'stable' }, 1],
      [{ label: 'canary' }, 3],
    ] as const) {
      const { result } = await rpc.call('infer', { ...shiftRequest(), ...choice });
      expect(result.version).toBe(version);
      expect(fromFloat32(result.outputs.y as never)[0]).toBe(1 + version);
    }
  });

  test('gives only the outputs that are asked for', async () => {
    const inputs = {
      a: { datatype: 'FP32', shape: [2, 3], data: float32([1, 2, 3, 4, 5, 6]) },
      b: { datatype: 'INT64', shape: [2], data: new Uint8Array(BigInt64Array.of(7n, -8n).buffer) },
    };
    const { result: both } = await rpc.call('infer', { model: 'mixed', inputs });
    expect(Object.keys(both.outputs).sort()).toEqual(['b2', 'sum']);
    expect(fromFloat32(both.outputs.sum as never)).toEqual([6, 15]);
    const { result: one } = await rpc.call('infer', { model: 'mixed', inputs, outputs: ['b2'] });
    expect(Object.keys(one.outputs)).toEqual(['b2']);
    expect([...new BigInt64Array(one.outputs.b2?.data.slice().buffer as ArrayBuffer)]).toEqual([
      14n,
      -16n,
    ]);
  });

  test('carries scalars, empty tensors and texts', async () => {
    const scalar = { x: { datatype: 'FP32', shape: [], data: float32([21]) } };
    const { result: doubled } = await rpc.call('infer', { model: 'scalar', inputs: scalar });
    expect(doubled.outputs.y).toMatchObject({ shape: [] });
    expect(fromFloat32(doubled.outputs.y as never)).toEqual([42]);

    const empty = { x: { datatype: 'INT64', shape: [0], data: new Uint8Array() } };
    const { result: none } = await rpc.call('infer', { model: 'identity-int64', inputs: empty });
    expect(none.outputs.y).toMatchObject({ shape: [0], data: new Uint8Array() });

    const data = ['grüß', new Uint8Array([0, 255, 0]), ''];
    const texts = { x: { datatype: 'BYTES', shape: [3], data } };
    const { result: same } = await rpc.call('infer', { model: 'identity-bytes', inputs: texts });
    const answered = (same.outputs.y?.data as unknown as Uint8Array[]).map((item) => [...item]);
    expect(answered).toEqual([[...Buffer.from('grüß')], [0, 255, 0], []]);
  });

  test('answers many requests of one connection, each with its own result', async () => {
    const values = Array.from({ length: 200 }, (_, i) => i);
    const answers = await Promise.all(
      values.map((value) => rpc.call('infer', shiftRequest([value, 0, 0, 0]))),
    );
    expect(answers.map(({ result }) => fromFloat32(result.outputs.y as never)[0])).toEqual(
      values.map((value) => value + 2),
    );
  });

  test('answers a quick model while a slow one runs', async () => {
    const order: string[] = [];
    const slow = rpc.call('infer', slowRequest(200_000)).then(() => order.push('slow'));
    const quick = rpc.call('infer', shiftRequest()).then(() => order.push('quick'));
    await Promise.all([slow, quick]);
    expect(order).toEqual(['quick', 'slow']);
  });

  test('refuses at once what the queue cannot hold, and serves what it took', async () => {
    const calls = Array.from({ length: 8 }, () => rpc.call('infer', slowRequest(100_000)));
    const answers = await Promise.all(calls);
    const refused = answers.filter(({ error }) => error !== null);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeLessThan(8);
    for (const { error } of refused) {
      expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryable: true });
    }
  });

  test('drops a request whose deadline passes in the queue', async () => {
    const running = rpc.call('infer', slowRequest(200_000));
    const late = await rpc.call('infer', { ...slowRequest(1), deadlineMs: 1 });
    expect(late.error).toMatchObject({ code: 'DEADLINE_EXCEEDED', retryable: false });
    expect((await running).error).toBeNull();
  });

  test('reports what ONNX Runtime refuses at run time, and goes on', async () => {
    const request = (n: number) => ({
      model: 'fails-at-run',
      inputs: { x: { datatype: 'FP32', shape: [n], data: float32(new Array<number>(n).fill(1)) } },
    });
    const { error } = await rpc.call('infer', request(3));
    expect(error?.code).toMatch(/^(INTERNAL|INVALID_ARGUMENT)$/);
    expect(error?.message).toContain('Reshape');
    expect((await rpc.call('infer', request(4))).error).toBeNull();
  });
});

describe('wrong input is answered with a code, and the connection goes on', () => {
  const x = { datatype: 'FP32', shape: [1, 4], data: float32([1, 2, 3, 4]) };
  const cases: [string, unknown, string, RegExp][] = [
    ['an unknown model', { model: 'nope', inputs: { x } }, 'NOT_FOUND', /'nope'.*shift/],
    [
      'an unknown version',
      { model: 'shift', version: 9, inputs: { x } },
      'NOT_FOUND',
      /9.*1, 2, 3/,
    ],
    [
      'an unknown label',
      { model: 'shift', label: 'no', inputs: { x } },
      'NOT_FOUND',
      /'no'.*stable/,
    ],
    [
      'version and label',
      { model: 'shift', version: 1, label: 'stable', inputs: { x } },
      'INVALID_ARGUMENT',
      /give 'version' or 'label', not both/,
    ],
    ['no model', { inputs: { x } }, 'INVALID_ARGUMENT', /'model': expected a string, got nothing/],
    ['a foreign key', { model: 'shift', inputs: { x }, modle: 1 }, 'INVALID_ARGUMENT', /'modle'/],
    [
      'no inputs',
      { model: 'shift' },
      'INVALID_ARGUMENT',
      /'inputs': expected a map of tensors, got nothing/,
    ],
    ['a missing input', { model: 'shift', inputs: {} }, 'INVALID_ARGUMENT', /'x' is missing/],
    ['a foreign input', { model: 'shift', inputs: { x, z: x } }, 'INVALID_ARGUMENT', /'z'.*are x/],
    [
      'a foreign output',
      { model: 'shift', inputs: { x }, outputs: ['q'] },
      'INVALID_ARGUMENT',
      /'q'.*are y/,
    ],
    [
      'another datatype',
      { model: 'shift', inputs: { x: { ...x, datatype: 'INT32' } } },
      'INVALID_ARGUMENT',
      /expected FP32 \[n, 4\], got INT32 \[1, 4\]/,
    ],
    [
      'an unknown datatype',
      { model: 'shift', inputs: { x: { ...x, datatype: 'FP8' } } },
      'INVALID_ARGUMENT',
      /datatype.*'FP8'/,
    ],
    [
      'another fixed dimension',
      { model: 'shift', inputs: { x: { ...x, shape: [1, 5] } } },
      'INVALID_ARGUMENT',
      /expected FP32 \[n, 4\], got FP32 \[1, 5\]/,
    ],
    [
      'another rank',
      { model: 'shift', inputs: { x: { ...x, shape: [4] } } },
      'INVALID_ARGUMENT',
      /expected FP32 \[n, 4\], got FP32 \[4\]/,
    ],
    [
      'a negative dimension',
      { model: 'shift', inputs: { x: { ...x, shape: [-1, 4] } } },
      'INVALID_ARGUMENT',
      /shape/,
    ],
    [
      'too few bytes',
      { model: 'shift', inputs: { x: { ...x, data: float32([1]) } } },
      'INVALID_ARGUMENT',
      /needs 16 bytes, got 4/,
    ],
    [
      'a huge shape',
      { model: 'shift', inputs: { x: { ...x, shape: [2 ** 52, 4] } } },
      'INVALID_ARGUMENT',
      /bytes/,
    ],
    [
      'data that is no bin',
      { model: 'shift', inputs: { x: { ...x, data: [1, 2, 3, 4] } } },
      'INVALID_ARGUMENT',
      /data: expected bin/,
    ],
    [
      'a deadline of zero',
      { model: 'shift', inputs: { x }, deadlineMs: 0 },
      'INVALID_ARGUMENT',
      /'deadlineMs'/,
    ],
    ['params that are no map', 7, 'INVALID_ARGUMENT', /expected a map, got 7/],
  ];

  test.each(cases)('%s', async (_, params, code, message) => {
    const { error, result } = await rpc.call('infer', params);
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
    expect(error?.retryable).toBe(false);
    expect(result).toBeNull();
    expect((await rpc.call('ping', 'still here')).result).toBe('still here');
  });

  test('an unknown method', async () => {
    const { error } = await rpc.call('shutdown', {});
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED' });
    expect(error?.message).toContain('infer');
  });
});

describe('the other methods', () => {
  test('ping gives the same back, 64-bit integers exactly', async () => {
    const value = {
      list: [1, 'two', null, true, 0.5],
      big: 2n ** 63n - 1n,
      bin: new Uint8Array([9]),
    };
    expect((await rpc.call('ping', value)).result).toEqual(value);
  });

  test('models lists every model with its versions and labels', async () => {
    const { result } = await rpc.call('models', {});
    expect(result).toContainEqual({
      name: 'shift',
      active: 2,
      labels: { stable: 1, canary: 3 },
      versions: [
        { version: 1, state: 'ready' },
        { version: 2, state: 'active' },
        { version: 3, state: 'ready' },
      ],
    });
  });

  test('describe gives the signature, free dimensions as -1', async () => {
    const { result } = await rpc.call('describe', { model: 'mixed' });
    expect(result).toEqual({
      name: 'mixed',
      version: 1,
      state: 'active',
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, 3] },
        { name: 'b', datatype: 'INT64', shape: [-1] },
      ],
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [-1] },
        { name: 'b2', datatype: 'INT64', shape: [-1] },
      ],
      batching: null,
      artifact: { form: 'inline', reason: 'no weight has 1024 bytes' },
      memory: {
        mappedBytes: expect.any(Number) as number,
        residentBytes: expect.any(Number) as number,
        privateBytes: expect.any(Number) as number,
      },
    });
  });

  test('a notification gets no answer', async () => {
    rpc.send(encode([2, 'ping', ['nobody listens']]));
    expect((await rpc.call('ping', 1)).result).toBe(1);
  });
});

describe('what is no MessagePack-RPC closes its own connection only', () => {
  const cases: [string, Uint8Array | string, number][] = [
    ['a text frame', '[0,1,"ping",[]]', 1003],
    ['an empty frame', new Uint8Array(), 1007],
    ['garbage', new Uint8Array([0xc1, 0xff, 0x00]), 1007],
    ['a value that is cut off', encode([0, 1, 'ping', ['hello']]).slice(0, -1), 1007],
    ['bytes after the value', new Uint8Array([...encode([0, 1, 'ping', []]), 0]), 1007],
    ['an extension type', new Uint8Array([0xd4, 0x01, 0x00]), 1007],
    ['a bomb of nested arrays', new Uint8Array(100_000).fill(0x91), 1007],
    ['an array that claims 4 billion elements', new Uint8Array([0xdd, 255, 255, 255, 255]), 1007],
    ['a map instead of an array', encode({ method: 'ping' }), 1002],
    ['an unknown message type', encode([7, 1, 'ping', []]), 1002],
    ['a msgid that is no integer', encode([0, 'one', 'ping', []]), 1002],
    ['params that are no array', encode([0, 1, 'ping', {}]), 1002],
    ['a response nobody asked for', encode([1, 1, null, null]), 1002],
  ];

  test.each(cases)('%s', async (_, frame, code) => {
    const victim = await RawRpc.connect(daemon.rpcUrl);
    victim.send(frame);
    const { code: closedWith, reason } = await victim.closed;
    expect(closedWith).toBe(code);
    expect(reason).not.toBe('');
    expect((await rpc.call('ping', 1)).result).toBe(1);
  });
});
