import { decode, encode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { connect } from '../../src/client/index.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { binaryBody } from '../support/inference-http.js';
import { RawHttp } from '../support/raw-http.js';
import { fromFloat32, shiftRequest, type WireResult, type WireTensor } from '../support/raw-rpc.js';
import { RawWebSocket } from '../support/raw-websocket.js';

/** Answers that are big, to requests that go by the lane and to others. */

const ONE_WORKER = ['--workers', '1'];
/** Of all outputs of an answer together. */
const MOST_ELEMENTS = 2_000_000;

const TOKEN = 'token-for-one-model-alone';

test.each([
  ['by the lane', '', {}],
  [
    'to a token that the lane does not serve',
    `auth: { tokens: [{ name: one, token: ${TOKEN}, models: [shift] }] }`,
    { Authorization: `Bearer ${TOKEN}` },
  ],
])(
  'the data of a big output leaves apart from what stands around it %s',
  async (_, config, headers) => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    const flags = await repository.daemonConfig(config);
    const { process } = await startDaemon(repository, flags, {}, ONE_WORKER);
    const client = await RawWebSocket.connect(process.rpcUrl, headers);
    const values = new Array<number>(400_000).fill(1);
    client.send(encode([0, 5, 'infer', [shiftRequest(values)]]));
    client.read();
    const frames = await client.until((all) => all.at(-1)?.isFinal === true);
    const sizes = frames.map(({ payload }) => payload.length);
    expect(sizes[0]).toBeLessThan(256);
    expect(sizes.at(-1)).toBeLessThan(256);
    expect(sizes.slice(1, -1).reduce((sum, size) => sum + size, 0)).toBe(4 * values.length);
    const whole = Buffer.concat(frames.map(({ payload }) => payload));
    const message = decode(new Uint8Array(whole)) as unknown[];
    const { outputs } = message[3] as WireResult;
    expect(message.slice(0, 3)).toEqual([1, 5, null]);
    expect(fromFloat32(outputs.y as WireTensor).every((value) => value === 2)).toBe(true);
    client.destroy();
  },
);

test('BYTES are answered up to two million elements, and more are refused, over both protocols', async () => {
  const repository = await testRepository();
  await repository.publish('thrice-bytes', 1);
  const { process } = await startDaemon(repository, [], {}, ONE_WORKER);
  const client = await connect(process.rpcUrl);
  const infer = (count: number) => {
    const data = Array.from({ length: count }, (_, i) => Uint8Array.of(i % 251));
    return client.infer({ model: 'thrice-bytes', inputs: { x: { shape: [count], data } } });
  };
  const count = Math.floor(MOST_ELEMENTS / 3);
  const { outputs } = await infer(count);
  const elements = outputs.y?.data as Uint8Array[];
  expect(elements.length).toBe(3 * count);
  expect(elements.findIndex(([value], i) => value !== (i % count) % 251)).toBe(-1);
  const refusal = `the outputs have ${3 * (count + 1)} elements of BYTES, at most ${MOST_ELEMENTS}`;
  await expect(infer(count + 1)).rejects.toMatchObject({
    ...{ code: 'INVALID_ARGUMENT', message: expect.stringContaining(refusal) as string },
  });
  await client.close();

  const http = await RawHttp.connect(process.rpcUrl);
  const input = {
    ...{ name: 'x', datatype: 'BYTES', shape: [count + 1] },
    parameters: { binary_data_size: 4 * (count + 1) },
  };
  const request = { inputs: [input], parameters: { binary_data_output: true } };
  const { body, headers } = binaryBody(request, new Uint8Array(4 * (count + 1)));
  const answer = await http.request('POST', '/v2/models/thrice-bytes/infer', body, headers);
  expect(answer.status).toBe(400);
  expect(answer.json()).toEqual({ error: expect.stringContaining(refusal) as string });
  http.destroy();
});
