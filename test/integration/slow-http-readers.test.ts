import { describe, expect, test } from 'vitest';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { binaryBody, splitAnswer } from '../support/inference-http.js';
import { RawHttp, requestBytes } from '../support/raw-http.js';
import { until } from '../support/until.js';

/** Clients over HTTP that do not take their answers. */

async function serve(config = ''): Promise<TestDaemon> {
  const repository = await testRepository();
  for (const name of ['shift', 'any-width']) await repository.publish(name, 1);
  const flags = await repository.daemonConfig(config);
  return startDaemon(repository, flags, {}, ['--workers', '1']);
}

async function limitedOf({ status }: TestDaemon) {
  const [worker] = (await status()).workers;
  if (!worker) throw new Error('there is no worker');
  return worker.limited;
}

/** An inference whose answer is as long as its body: 16 bytes a row. */
function inference(rows: number): Buffer {
  const input = {
    ...{ name: 'x', shape: [rows, 4], datatype: 'FP32' },
    parameters: { binary_data_size: 16 * rows },
  };
  const request = { inputs: [input], parameters: { binary_data_output: true } };
  const { body, headers } = binaryBody(request, new Uint8Array(16 * rows));
  return requestBytes('POST', '/v2/models/shift/infer', body, headers);
}

/** How many rows `shift` has answered. */
async function rowsAnswered({ process }: TestDaemon): Promise<number> {
  const url = new URL('/v2/models/shift/stats', process.rpcUrl.replace('ws:', 'http:'));
  const { model_stats } = (await (await fetch(url)).json()) as {
    model_stats: { inference_count: number }[];
  };
  return model_stats[0]?.inference_count ?? NaN;
}

/** Whether the daemon answers somebody else. */
async function answersOthers({ process }: TestDaemon): Promise<boolean> {
  const other = await RawHttp.connect(process.rpcUrl);
  const { status } = await other.request('GET', '/v2/health/ready');
  other.destroy();
  return status === 200;
}

/** Asks again and again, as long as the daemon reads. */
function flood({ socket }: RawHttp, request: Buffer): void {
  const requests = request.toString('latin1').repeat(1000);
  const more = (error?: Error | null) => {
    if (!error) socket.write(requests, more);
  };
  more();
}

/** More than what kernels hold for one connection. */
const LONG_ROWS = 2 ** 20;
/** uWebSockets takes 10 to 14 s. */
const CUT_OFF_WITHIN_MS = 40_000;

describe('a client that does not read', () => {
  test.each([
    ['GET', '/v2/models/shift'],
    ['GET', '/v2/nothing'],
  ])('and asks on (%s %s) is cut off and counted, others are served', async (method, path) => {
    const daemon = await serve();
    const client = await RawHttp.connect(daemon.process.rpcUrl);
    client.socket.pause();
    flood(client, requestBytes(method, path));
    await until('it is counted', async () => (await limitedOf(daemon)).slowReaders === 1);
    await client.closed;
    expect(await answersOthers(daemon)).toBe(true);
  });

  test('and asks for heads is closed', async () => {
    const daemon = await serve();
    const client = await RawHttp.connect(daemon.process.rpcUrl);
    client.socket.pause();
    flood(client, requestBytes('HEAD', '/v2/models/shift'));
    await client.closed;
    expect(await answersOthers(daemon)).toBe(true);
  });

  test('and waits for its answer is cut off and counted too', async () => {
    const daemon = await serve();
    const client = await RawHttp.connect(daemon.process.rpcUrl);
    client.socket.pause();
    client.write(inference(LONG_ROWS));
    const isCounted = async () => (await limitedOf(daemon)).slowReaders === 1;
    await until('it is counted', isCounted, CUT_OFF_WITHIN_MS);
    expect(await answersOthers(daemon)).toBe(true);
    client.destroy();
  });

  test('and goes by itself is not counted', async () => {
    const daemon = await serve();
    const client = await RawHttp.connect(daemon.process.rpcUrl);
    client.socket.pause();
    client.write(inference(LONG_ROWS));
    client.socket.resume();
    await new Promise((resolve) => client.socket.once('data', resolve));
    client.destroy();
    expect(await answersOthers(daemon)).toBe(true);
    expect((await limitedOf(daemon)).slowReaders).toBe(0);
  });
});

test('a client that reads late gets all of its answers, in their order', async () => {
  const daemon = await serve();
  const client = await RawHttp.connect(daemon.process.rpcUrl);
  let answered = await rowsAnswered(daemon);
  for (const rows of [LONG_ROWS, 1, LONG_ROWS / 2]) {
    client.socket.pause();
    client.write(inference(rows));
    answered += rows;
    await until('it is answered', async () => (await rowsAnswered(daemon)) === answered);
    client.socket.resume();
    const answer = await client.next();
    expect(answer.status).toBe(200);
    const values = new Float32Array(new Uint8Array(splitAnswer(answer).data).buffer);
    expect(values.length).toBe(4 * rows);
    expect(values.every((value) => value === 1)).toBe(true);
  }
  expect((await limitedOf(daemon)).slowReaders).toBe(0);
  client.destroy();
});
