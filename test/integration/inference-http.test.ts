import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import {
  binaryBody,
  floats,
  shiftBody,
  shiftInput,
  slowBody,
  splitAnswer,
} from '../support/inference-http.js';
import { control } from '../support/daemon.js';
import { RawHttp, requestBytes, type RawResponse } from '../support/raw-http.js';
import { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** The Open Inference Protocol, endpoint by endpoint, as bytes on a socket. */

const ENDLESS = 2 ** 50;
const MAX_BYTES = 65_536;
const SHIFT = '/v2/models/shift/infer';
const SLOW = '/v2/models/slow/infer';
const DATATYPES = ['bool', 'bytes', 'bf16', 'fp16', 'fp64', 'int8', 'int64', 'uint64'];
const MODELS = [
  'mixed',
  'scalar',
  'slow',
  'fails-at-run',
  ...DATATYPES.map((d) => `identity-${d}`),
];

let repository: TestRepository;
let daemon: DaemonProcess;
let base: string;
let http: RawHttp;

beforeAll(async () => {
  repository = await TestRepository.create();
  for (const version of [1, 2]) await repository.publish('shift', version);
  for (const name of MODELS) await repository.publish(name, 1);
  await repository.configure('shift', 'versions: all');
  await repository.configure('slow', 'queue: { maxSize: 1, priorities: 2 }');
  const config = join(repository.path, 'warmswap.yaml');
  await writeFile(config, `limits: { maxMessageBytes: ${MAX_BYTES}B }`);
  const flags = ['--models', repository.path, '--config', config, '--workers', '1'];
  daemon = await DaemonProcess.start(flags);
  base = daemon.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
});

afterAll(async () => {
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

async function connect(): Promise<RawHttp> {
  const connection = await RawHttp.connect(base);
  onTestFinished(() => connection.destroy());
  return connection;
}

beforeEach(async () => {
  http = await connect();
});

const get = async (path: string) => {
  const response = await http.request('GET', path);
  return [response.status, response.json()];
};
const infer = (path: string, body: unknown, headers: Record<string, string | number> = {}) => {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return http.request('POST', path, isRaw ? body : JSON.stringify(body), headers);
};
const identity = (datatype: string, data: string) => {
  const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[2],"data":${data}}]}`;
  return infer(`/v2/models/identity-${datatype.toLowerCase()}/infer`, body);
};
const error = (message: string | RegExp) => ({
  error: expect.stringMatching(message) as string,
});
const failure = ({ status, json }: RawResponse) => [status, json()];

describe('metadata', () => {
  test('of the server', async () => {
    expect(await get('/v2')).toEqual([
      200,
      {
        name: 'warmswap',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
        extensions: ['binary_tensor_data', 'schedule_policy', 'statistics'],
      },
    ]);
    expect(await get('/v2/health/live?x=1')).toEqual([200, { live: true }]);
    expect(await get('/v2/health/ready')).toEqual([200, { ready: true }]);
  });

  test('of a model, and of one version of it', async () => {
    const mixed = {
      name: 'mixed',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, 3] },
        { name: 'b', datatype: 'INT64', shape: [-1] },
      ],
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [-1] },
        { name: 'b2', datatype: 'INT64', shape: [-1] },
      ],
    };
    expect(await get('/v2/models/mixed')).toEqual([200, mixed]);
    expect(await get('/v2/models/mixed/versions/1')).toEqual([200, mixed]);
    expect(await get('/v2/models/shift')).toMatchObject([200, { versions: ['1', '2'] }]);
  });

  test('whether a model is ready', async () => {
    const ready = [200, { name: 'shift', ready: true }];
    expect(await get('/v2/models/shift/ready')).toEqual(ready);
    expect(await get('/v2/models/shift/versions/1/ready')).toEqual(ready);
    expect(await get('/v2/models/none/ready')).toEqual([404, error("model 'none'")]);
  });

  test('HEAD answers like GET, without the body', async () => {
    const whole = await http.request('GET', '/v2');
    const other = await connect();
    const head = await other.request('HEAD', '/v2');
    expect([head.status, head.headers.get('content-length')]).toEqual([
      200,
      String(whole.body.length),
    ]);
    await other.closed;
  });
});

test('statistics count what a version has done', async () => {
  const statsOf = async (path: string) => {
    const { model_stats } = (await get(path))[1] as { model_stats: ModelStats[] };
    return model_stats;
  };
  const before = await statsOf('/v2/models/scalar/stats');
  const x = { name: 'x', shape: [], datatype: 'FP32', data: [2] };
  expect((await infer('/v2/models/scalar/infer', { inputs: [x] })).status).toBe(200);
  const [after] = await statsOf('/v2/models/scalar/versions/1/stats');
  const count = (stats: ModelStats | undefined, what: string) =>
    stats?.inference_stats[what]?.count;
  expect(after).toMatchObject({ name: 'scalar', version: '1' });
  expect(after?.inference_count).toBe((before[0]?.inference_count ?? 0) + 1);
  expect(after?.execution_count).toBe((before[0]?.execution_count ?? 0) + 1);
  for (const what of ['success', 'queue', 'compute_infer']) {
    expect(count(after, what)).toBe((count(before[0], what) ?? 0) + 1);
    expect(after?.inference_stats[what]?.ns).toBeGreaterThanOrEqual(0);
  }
  expect(Object.keys(after?.inference_stats ?? {})).toEqual([
    ...['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output'],
    ...['cache_hit', 'cache_miss'],
  ]);
  expect((await statsOf('/v2/models/shift/stats')).map(({ version }) => version)).toEqual([
    '1',
    '2',
  ]);
  expect(await statsOf('/v2/models/stats')).toHaveLength(MODELS.length + 2);
});

interface ModelStats {
  name: string;
  version: string;
  inference_count: number;
  execution_count: number;
  inference_stats: Record<string, { count: number; ns: number }>;
}

describe('inference in JSON', () => {
  test('names model, version and id, and gives the outputs flat', async () => {
    const response = await infer(SHIFT, shiftBody({ id: 'é"1' }));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.json()).toEqual({
      id: 'é"1',
      model_name: 'shift',
      model_version: '2',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 4], data: [3, 4, 5, 6] }],
    });
  });

  test('of a version by its number, with nested data', async () => {
    const nested = shiftInput({ shape: [2, 4], data: [[1, 2, 3, 4], [5, 6, 7, 8]] }); // prettier-ignore
    const response = await infer('/v2/models/shift/versions/1/infer', { inputs: [nested] });
    expect(response.json()).toEqual({
      model_name: 'shift',
      model_version: '1',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 4], data: [2, 3, 4, 5, 6, 7, 8, 9] }],
    });
  });

  test('of the outputs that are asked for, in that order', async () => {
    const inputs = [
      { name: 'b', shape: [1], datatype: 'INT64', data: [4] },
      { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
    ];
    const both = await infer('/v2/models/mixed/infer', {
      inputs,
      outputs: [{ name: 'b2' }, { name: 'sum' }],
    });
    expect(both.json()).toMatchObject({
      outputs: [
        { name: 'b2', datatype: 'INT64', shape: [1], data: [8] },
        { name: 'sum', datatype: 'FP32', shape: [1], data: [6] },
      ],
    });
    const one = await infer('/v2/models/mixed/infer', { inputs, outputs: [{ name: 'sum' }] });
    expect((one.json() as { outputs: unknown[] }).outputs).toHaveLength(1);
  });

  test.each([
    ['BOOL', '[true,false]'],
    ['INT8', '[-128,127]'],
    ['INT64', '[9007199254740993,-9223372036854775808]'],
    ['UINT64', '[18446744073709551615,0]'],
    ['FP64', '[0.1,"NaN"]'],
    ['BYTES', '["é\\n",""]'],
  ])('gives %s back exactly', async (datatype, data) => {
    const response = await identity(datatype, data);
    expect(response.body.toString()).toContain(`"data":${data}`);
  });

  test('refuses FP16 and BF16, which the protocol has in binary alone', async () => {
    for (const datatype of ['FP16', 'BF16']) {
      expect(failure(await identity(datatype, '[1,2]'))).toEqual([400, error('binary_data')]);
    }
    const x = { name: 'x', datatype: 'FP16', shape: [1], parameters: { binary_data_size: 2 } };
    const { body, headers } = binaryBody({ inputs: [x] }, Uint8Array.of(0, 60));
    expect(failure(await infer('/v2/models/identity-fp16/infer', body, headers))).toEqual([
      400,
      error("FP16 of output 'y'"),
    ]);
  });
});

describe('the binary extension', () => {
  const binaryX = (bytes: number, fields: object = {}) =>
    shiftInput({ data: undefined, parameters: { binary_data_size: bytes }, ...fields });

  test('takes inputs, and answers in JSON unless asked otherwise', async () => {
    const { body, headers } = binaryBody({ inputs: [binaryX(16)] }, floats(1, 2, 3, 4));
    const response = await infer(SHIFT, body, headers);
    expect(response.json()).toMatchObject({ outputs: [{ data: [3, 4, 5, 6] }] });
  });

  test.each([
    ['for all outputs', { parameters: { binary_data_output: true } }],
    ['for one output', { outputs: [{ name: 'y', parameters: { binary_data: true } }] }],
  ])('answers in binary, asked %s', async (_, fields) => {
    const { body, headers } = binaryBody(
      { id: '7', inputs: [binaryX(16)], ...fields },
      floats(1, 2, 3, 4),
    );
    const response = await infer(SHIFT, body, headers);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const { json, data } = splitAnswer(response);
    expect(json).toEqual({
      id: '7',
      model_name: 'shift',
      model_version: '2',
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } },
      ],
    });
    expect(data).toEqual(Buffer.from(floats(3, 4, 5, 6)));
  });

  test('one output in binary beside one in JSON', async () => {
    const request = {
      inputs: [
        { name: 'a', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } },
        { name: 'b', shape: [1], datatype: 'INT64', data: [4] },
      ],
      outputs: [{ name: 'sum', parameters: { binary_data: false } }, { name: 'b2' }],
      parameters: { binary_data_output: true },
    };
    const { body, headers } = binaryBody(request, floats(1, 2, 3));
    const { json, data } = splitAnswer(await infer('/v2/models/mixed/infer', body, headers));
    expect(json).toMatchObject({
      outputs: [{ data: [6] }, { parameters: { binary_data_size: 8 } }],
    });
    expect(data.readBigInt64LE()).toBe(8n);
  });

  test('BYTES, also such that are no text', async () => {
    const elements = Buffer.from([2, 0, 0, 0, 255, 0, 0, 0, 0, 0]);
    const x = { name: 'x', shape: [2], datatype: 'BYTES', parameters: { binary_data_size: 10 } };
    const path = '/v2/models/identity-bytes/infer';
    const asked = binaryBody({ inputs: [x], parameters: { binary_data_output: true } }, elements);
    expect(splitAnswer(await infer(path, asked.body, asked.headers)).data).toEqual(elements);
    const inJson = binaryBody({ inputs: [x] }, elements);
    expect(failure(await infer(path, inJson.body, inJson.headers))).toEqual([400, error('UTF-8')]);
  });

  test('raw data alone, where the model has one input whose shape they tell', async () => {
    const headers = { 'Inference-Header-Content-Length': 0 };
    const { json, data } = splitAnswer(await infer(SHIFT, floats(1, 2, 3, 4), headers));
    expect(json).toMatchObject({ outputs: [{ name: 'y', shape: [1, 4] }] });
    expect(data).toEqual(Buffer.from(floats(3, 4, 5, 6)));
    const refuse = async (path: string, bytes: number) =>
      failure(await infer(path, new Uint8Array(bytes), headers));
    expect(await refuse(SHIFT, 15)).toEqual([400, error('a multiple of 16')]);
    expect(await refuse('/v2/models/mixed/infer', 16)).toEqual([400, error('one input')]);
    expect(await refuse('/v2/models/identity-bytes/infer', 16)).toEqual([400, error('fixed')]);
  });

  test.each([
    ['a header longer than the body', 1000, 0, /at most/],
    ['too little data', 0, 15, /expected 16 bytes/],
    ['too much data', 0, 17, /expected the 16 bytes/],
  ])('refuses %s', async (_, excess, bytes, message) => {
    const { body, headers } = binaryBody({ inputs: [binaryX(16)] }, new Uint8Array(bytes));
    const length = (headers['Inference-Header-Content-Length'] ?? 0) + excess;
    const given = { 'Inference-Header-Content-Length': length };
    expect(failure(await infer(SHIFT, body, given))).toEqual([400, error(message)]);
  });

  test.each(['-1', 'x', '1.5', '99999999999999999999'])('refuses the header %s', async (value) => {
    const given = { 'Inference-Header-Content-Length': value };
    expect(failure(await infer(SHIFT, shiftBody(), given))).toEqual([400, error('a number')]);
  });
});

describe('an error has its status and says why:', () => {
  test.each<[number, RegExp, string, unknown]>([
    [404, /model 'none'/, '/v2/models/none/infer', shiftBody()],
    [404, /version 9/, '/v2/models/shift/versions/9/infer', shiftBody()],
    [400, /positive integer/, '/v2/models/shift/versions/x/infer', shiftBody()],
    [400, /percent-encoded/, '/v2/models/%ff/infer', shiftBody()],
    [404, /POST \/v2\/other/, '/v2/other', ''],
    [400, /not valid JSON/, SHIFT, '{'],
    [400, /not valid JSON/, SHIFT, ''],
    [400, /levels/, SHIFT, '['.repeat(60_000)],
    [400, /inputs/, SHIFT, {}],
    [400, /no input 'z'/, SHIFT, { inputs: [shiftInput({ name: 'z' })] }],
    [400, /no input '__proto__'/, SHIFT, { inputs: [shiftInput({ name: '__proto__' })] }],
    [400, /'x' is missing/, SHIFT, { inputs: [] }],
    [400, /no output 'z'/, SHIFT, shiftBody({ outputs: [{ name: 'z' }] })],
    [400, /INT32/, SHIFT, { inputs: [shiftInput({ datatype: 'INT32' })] }],
    [400, /elements/, SHIFT, { inputs: [shiftInput({ shape: [2, 4] })] }],
    [400, /4/, SHIFT, { inputs: [shiftInput({ shape: [4, 1] })] }],
    [400, /priority: expected 0 .* to 2/, SLOW, slowBody(1, { parameters: { priority: 3 } })],
  ])('%i %s', async (status, message, path, body) => {
    expect(failure(await infer(path, body))).toEqual([status, error(message)]);
    expect(await get('/v2/health/live')).toEqual([200, { live: true }]);
  });

  test('a run that fails', async () => {
    const x = { name: 'x', shape: [3], datatype: 'FP32', data: [1, 2, 3] };
    const response = await infer('/v2/models/fails-at-run/infer', { inputs: [x] });
    expect(failure(response)).toEqual([500, error(/\w/)]);
  });

  test('a method that a path does not have', async () => {
    const posted = await http.request('POST', '/v2/models/shift', 'ignored');
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const got = await http.request('GET', SHIFT);
    expect([...failure(got), got.headers.get('allow')]).toEqual([405, error('POST'), 'POST']);
    expect((await http.request('DELETE', '/v2/health/live')).status).toBe(405);
  });

  test('the path of the RPC without an upgrade', async () => {
    const response = await http.request('GET', '/rpc');
    expect(failure(response)).toEqual([426, error('WebSocket')]);
    expect(response.headers.get('upgrade')).toBe('websocket');
  });

  test('a compressed body', async () => {
    const response = await infer(SHIFT, shiftBody(), { 'Content-Encoding': 'gzip' });
    expect(failure(response)).toEqual([400, error("'gzip'")]);
  });

  test('a full queue', async () => {
    const clients = await Promise.all([connect(), connect(), connect()]);
    for (const client of clients) client.write(requestBytes('POST', SLOW, slowBody(ENDLESS)));
    const first = await Promise.race(clients.map((client) => client.next()));
    expect(failure(first)).toEqual([429, error('queue')]);
    for (const client of clients) client.destroy();
    await inflight(0);
  });

  test('a timeout that passes in the queue', async () => {
    const running = await connect();
    running.write(requestBytes('POST', SLOW, slowBody(3_000_000)));
    await inflight(1);
    const late = await infer(SLOW, slowBody(1, { parameters: { timeout: 1000, priority: 1 } }));
    expect(failure(late)).toEqual([504, error('deadline')]);
    expect((await running.next()).status).toBe(200);
  });
});

describe('bodies', () => {
  const head = `POST ${SHIFT} HTTP/1.1\r\nHost: localhost\r\n`;
  const answered = { outputs: [{ data: [3, 4, 5, 6] }] };

  test('come byte by byte', async () => {
    for (const byte of requestBytes('POST', SHIFT, shiftBody())) {
      http.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await http.next()).json()).toMatchObject(answered);
  });

  test('come in chunks', async () => {
    const body = shiftBody();
    http.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (const piece of [body.slice(0, 10), body.slice(10, 11), body.slice(11)]) {
      http.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    }
    http.write('0\r\n\r\n');
    expect((await http.next()).json()).toMatchObject(answered);
    expect(await get('/v2/health/live')).toEqual([200, { live: true }]);
  });

  test('of the limit are read', async () => {
    const response = await infer(SHIFT, shiftBody().padEnd(MAX_BYTES));
    expect(response.json()).toMatchObject(answered);
  });

  test('over the limit are refused before they come, and the connection goes on', async () => {
    http.write(`${head}Content-Length: ${MAX_BYTES + 1}\r\n\r\n`);
    expect(failure(await http.next())).toEqual([413, error(`${MAX_BYTES}`)]);
    http.write(new Uint8Array(MAX_BYTES + 1));
    expect((await infer(SHIFT, shiftBody())).json()).toMatchObject(answered);
  });

  test('in chunks are refused at the byte that is too much', async () => {
    http.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = new Uint8Array(MAX_BYTES / 2);
    for (let i = 0; i < 3; i++) {
      http.write(`${chunk.length.toString(16)}\r\n`);
      http.write(chunk);
      http.write('\r\n');
    }
    expect(failure(await http.next())).toEqual([413, error(`${MAX_BYTES}`)]);
    http.write('0\r\n\r\n');
    expect((await infer(SHIFT, shiftBody())).json()).toMatchObject(answered);
  });

  test('are asked for where a client waits for that', async () => {
    http.write(`${head}Expect: 100-continue\r\nContent-Length: ${shiftBody().length}\r\n\r\n`);
    expect((await http.next()).status).toBe(100);
    http.write(shiftBody());
    expect((await http.next()).json()).toMatchObject(answered);
  });

  test('that never end harm nobody', async () => {
    http.write(`${head}Content-Length: 1000\r\n\r\n{"inputs":`);
    http.destroy();
    const other = await connect();
    expect((await other.request('POST', SHIFT, shiftBody())).status).toBe(200);
  });
});

describe('connections', () => {
  test('are kept, and pipelined reads are answered in order', async () => {
    const paths = ['/v2', '/v2/health/live', '/nowhere', '/v2/models/shift/ready'];
    http.write(Buffer.concat(paths.map((path) => requestBytes('GET', path))));
    const statuses: number[] = [];
    for (const _ of paths) statuses.push((await http.next()).status);
    expect(statuses).toEqual([200, 200, 404, 200]);
    for (let i = 0; i < 3; i++) expect((await infer(SHIFT, shiftBody())).status).toBe(200);
  });

  test('that send more before an inference is answered are closed, others go on', async () => {
    http.write(requestBytes('POST', SLOW, slowBody(ENDLESS)));
    http.write(requestBytes('GET', '/v2'));
    await http.closed;
    await inflight(0);
    http = await connect();
    expect((await infer(SLOW, slowBody(1))).status).toBe(200);
  });

  test('that close end their runs', async () => {
    const before = await failures();
    const leaving = await connect();
    leaving.write(requestBytes('POST', SLOW, slowBody(ENDLESS)));
    await inflight(1);
    leaving.destroy();
    await inflight(0);
    expect(await failures()).toBe(before + 1);
    expect((await infer(SLOW, slowBody(1))).status).toBe(200);
  });

  async function failures(): Promise<number> {
    const stats = await http.request('GET', '/v2/models/slow/stats');
    const { model_stats } = stats.json() as { model_stats: ModelStats[] };
    return model_stats[0]?.inference_stats.fail?.count ?? 0;
  }
});

describe('a daemon that shuts down', () => {
  const start = async () => {
    const process = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
    onTestFinished(async () => {
      process.signal('SIGTERM');
      await process.exited();
    });
    const url = process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
    const [running, idle] = [await RawHttp.connect(url), await RawHttp.connect(url)];
    const probe = await RawHttp.connect(url);
    return { process, url, running, idle, probe };
  };

  test('answers what runs', async () => {
    const { process, running } = await start();
    running.write(requestBytes('POST', SLOW, slowBody(3_000_000)));
    await inflight(1, process);
    process.signal('SIGTERM');
    expect((await running.next()).status).toBe(200);
    expect(await process.exited()).toBe(0);
  });

  test('serves what comes on open connections, and closes them behind the answers', async () => {
    const { process, url, running, idle, probe } = await start();
    expect((await idle.request('GET', '/v2/health/ready')).status).toBe(200);
    running.write(requestBytes('POST', SLOW, slowBody(ENDLESS)));
    await inflight(1, process);
    process.signal('SIGTERM');
    await until('it drains', async () => {
      return (await probe.request('GET', '/v2/health/ready')).status === 503;
    });
    const last = await idle.request('POST', SHIFT, shiftBody());
    expect(last.status).toBe(200);
    expect(last.headers.get('connection')).toBe('close');
    await idle.closed;
    await expect(RawHttp.connect(url)).rejects.toThrow('ECONNREFUSED');
    running.destroy();
    expect(await process.exited()).toBe(0);
  });
});

/** Waits until so many requests are in flight in the only worker. */
async function inflight(count: number, process = daemon): Promise<void> {
  const { status } = control(process, repository);
  await until(`${count} requests are in flight`, async () => {
    const { workers } = await status();
    return workers[0]?.inflight === count;
  });
}
