import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { connect, type Client, type InputTensor } from '../../src/client/index.js';
import { TestRepository } from '../support/repository.js';

/** The client library against the real daemon. */

let repository: TestRepository;
let daemon: DaemonProcess;

const arrays: Record<string, InputTensor> = {
  bool: { datatype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
  uint8: { shape: [2], data: Uint8Array.of(0, 255) },
  uint16: { shape: [2], data: Uint16Array.of(0, 65_535) },
  uint32: { shape: [2], data: Uint32Array.of(0, 2 ** 32 - 1) },
  uint64: { shape: [2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
  int8: { shape: [2], data: Int8Array.of(-128, 127) },
  int16: { shape: [2], data: Int16Array.of(-32_768, 32_767) },
  int32: { shape: [2], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  int64: { shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  fp16: { datatype: 'FP16', shape: [2], data: Uint16Array.of(0x3c00, 0xfbff) },
  bf16: { datatype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0xff7f) },
  fp32: { shape: [3], data: Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY) },
  fp64: { shape: [2], data: Float64Array.of(Math.PI, -1e300) },
};

beforeAll(async () => {
  repository = await TestRepository.create();
  await repository.publish('slow', 1);
  for (const name of [...Object.keys(arrays), 'bytes']) {
    await repository.publish(`identity-${name}`, 1);
  }
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
});

afterAll(async () => {
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

async function withClient(use: (client: Client) => Promise<void>): Promise<void> {
  const client = await connect(daemon.rpcUrl);
  await use(client);
  await client.close();
}

function slowCall(client: Client, iterations: number) {
  return client.infer({
    model: 'slow',
    inputs: {
      iterations: { shape: [], data: BigInt64Array.of(BigInt(iterations)) },
      x: { shape: [1], data: Float32Array.of(0) },
    },
  });
}

describe('typed arrays go in and come out the same', () => {
  test.each(Object.entries(arrays))('%s', async (name, input) => {
    await withClient(async (client) => {
      const { outputs, version } = await client.infer({
        model: `identity-${name}`,
        inputs: { x: input },
      });
      expect(version).toBe(1);
      expect(outputs.y).toEqual({
        datatype: name.toUpperCase(),
        shape: input.shape,
        data: input.data,
      });
    });
  });

  test('bytes and texts', async () => {
    await withClient(async (client) => {
      const input = { shape: [2], data: ['text', Uint8Array.of(0, 1)] };
      const { outputs } = await client.infer({ model: 'identity-bytes', inputs: { x: input } });
      const elements = outputs.y?.data as Uint8Array[];
      expect(elements.map((element) => [...element])).toEqual([[...Buffer.from('text')], [0, 1]]);
    });
  });

  test('a view into the middle of a bigger array', async () => {
    await withClient(async (client) => {
      const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
      const inputs = { x: { shape: [2], data } };
      const { outputs } = await client.infer({ model: 'identity-fp32', inputs });
      expect(outputs.y?.data).toEqual(Float32Array.of(1, 2));
    });
  });
});

test('models and describe tell what is served', async () => {
  await withClient(async (client) => {
    const names = (await client.models()).map(({ name }) => name);
    expect(names).toContain('identity-fp32');
    expect(await client.describe('identity-fp32')).toMatchObject({
      version: 1,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
    });
  });
});

test('an error of the daemon rejects with its code', async () => {
  await withClient(async (client) => {
    const call = client.infer({ model: 'nope', inputs: {} });
    await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND', retryable: false });
  });
});

test('close waits for what is in flight and refuses what is new', async () => {
  const client = await connect(daemon.rpcUrl);
  const inFlight = slowCall(client, 200_000);
  const closed = client.close();
  await expect(client.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await closed;
  expect((await inFlight).outputs.y?.data).toEqual(Float32Array.of(200_000));
  await client.close();
});

test('destroy fails what is in flight as UNAVAILABLE', async () => {
  const client = await connect(daemon.rpcUrl);
  const inFlight = slowCall(client, 200_000);
  client.destroy();
  await expect(inFlight).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  client.destroy();
});

test('connecting to nobody rejects with UNAVAILABLE', async () => {
  await expect(connect('ws://127.0.0.1:1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a client whose connection vanishes leaves the daemon unharmed', async () => {
  const client = await connect(daemon.rpcUrl);
  const calls = Array.from({ length: 20 }, () => slowCall(client, 20_000).catch(() => {}));
  client.destroy();
  await Promise.all(calls);
  await withClient(async (other) => {
    expect((await slowCall(other, 1)).version).toBe(1);
  });
});
