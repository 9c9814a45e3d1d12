import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { control } from '../support/daemon.js';
import { floats, shiftBody, shiftInput } from '../support/inference-http.js';
import { RawHttp, requestBytes, type RawResponse } from '../support/raw-http.js';
import { TestRepository } from '../support/repository.js';

/** Generated requests against a real worker: each gets its answer, and the worker lives. */

const SEED = 20_250_712;
const MODELS = ['shift', 'mixed', 'scalar', 'identity-bytes', 'identity-int64', 'identity-fp16'];
/** Neither a failure of the server nor anything that the contract does not have. */
const STATUSES = [200, 400, 404, 413, 429];

let repository: TestRepository;
let daemon: DaemonProcess;
let base: string;
let pid: number | null | undefined;

beforeAll(async () => {
  repository = await TestRepository.create();
  for (const name of MODELS) await repository.publish(name, 1);
  daemon = await DaemonProcess.start(['--models', repository.path, '--workers', '1']);
  base = daemon.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
  pid = await workerPid();
});

afterAll(async () => {
  expect(await workerPid()).toBe(pid);
  expect(await daemon.stop()).toBe(0);
  await repository.delete();
});

const workerPid = async () => (await control(daemon, repository).status()).workers[0]?.pid;

const scalar = fc.oneof(
  ...[fc.integer(), fc.double(), fc.bigInt(), fc.boolean(), fc.string({ unit: 'binary' })],
  ...[fc.constantFrom<unknown>(null, 'NaN', 1e308, 2 ** 53, -(2n ** 63n), '\ud800')],
);
const data = fc.oneof(fc.array(scalar), fc.array(fc.array(scalar)), fc.array(fc.integer()), scalar);
const size = fc.oneof(fc.integer({ min: -1, max: 5 }), fc.constantFrom(2 ** 31, 2 ** 52, 0.5, ''));
const flag = fc.oneof(fc.boolean(), fc.constantFrom<unknown>(null, 1, 'true'));
const datatype = fc.constantFrom('FP32', 'INT64', 'BYTES', 'FP16', 'UINT8', 'BOOL', 'FP8', 3);
const name = fc.constantFrom('x', 'a', 'b', 'y', '__proto__', 'constructor', '');

const input = fc.record(
  {
    name,
    datatype,
    shape: fc.oneof(fc.array(size, { maxLength: 3 }), size),
    data,
    parameters: fc.record({ binary_data_size: size }, { requiredKeys: [] }),
  },
  { requiredKeys: ['name', 'shape'] },
);
const output = fc.record({ name, parameters: fc.record({ binary_data: flag }) });
const request = fc.record(
  {
    id: scalar,
    inputs: fc.oneof(fc.array(input, { maxLength: 3 }), data),
    outputs: fc.array(output, { maxLength: 3 }),
    parameters: fc.record({ priority: size, timeout: size, binary_data_output: flag }),
  },
  { requiredKeys: ['inputs'] },
);

const generated = request.map((value) => Buffer.from(withDigits(value)));
const seeds = [
  shiftBody({ id: 'a', parameters: { binary_data_output: true } }),
  shiftBody({ outputs: [{ name: 'y', parameters: { binary_data: true } }] }),
  JSON.stringify({
    inputs: [shiftInput({ data: undefined, parameters: { binary_data_size: 16 } })],
  }),
  '{"inputs":[{"name":"x","shape":[2],"datatype":"BYTES","data":["\\u00e9","b"]}]}',
  '{"inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[9223372036854775807]}]}',
];
const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
  .map(([seed, changes]) => {
    const bytes = Buffer.from(seed);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
const tail = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(floats(1, 2, 3, 4)));

/** The header is right, or wrong, or says that all is raw, or is missing. */
const body = fc
  .tuple(fc.oneof(generated, mutated), tail, fc.constantFrom('right', 'wrong', 'raw', 'none'))
  .map(([json, binary, header]) => {
    const lengths = { right: json.length, wrong: json.length + 7, raw: 0, none: undefined };
    const length = lengths[header];
    return {
      bytes: header === 'none' ? json : Buffer.concat([json, binary]),
      headers: length === undefined ? {} : { 'Inference-Header-Content-Length': length },
    };
  });

test('every generated body is answered, with success or an error of the contract', async () => {
  let http = await RawHttp.connect(base);
  const seen = new Map<number, number>();
  const property = fc.asyncProperty(
    fc.constantFrom(...MODELS),
    body,
    fc.boolean(),
    async (model, { bytes, headers }, isChunked) => {
      const path = `/v2/models/${model}/infer`;
      if (isChunked) writeChunked(http, path, bytes, headers);
      else http.write(requestBytes('POST', path, bytes, headers));
      const response = await http.next();
      refuseOther(response);
      seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
    },
  );
  await fc.assert(property, { seed: SEED, numRuns: 1_000, interruptAfterTimeLimit: 20_000 });
  expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([200, 400]));
  http.destroy();
  http = await RawHttp.connect(base);
  expect((await http.request('POST', '/v2/models/shift/infer', shiftBody())).status).toBe(200);
  http.destroy();
});

test('bytes that are no HTTP, and requests that break off, harm nobody', async () => {
  const whole = requestBytes('POST', '/v2/models/shift/infer', shiftBody());
  const broken = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
    fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(whole);
      bytes[at] = byte;
      return bytes;
    }),
  );
  const property = fc.asyncProperty(broken, async (bytes) => {
    const http = await RawHttp.connect(base);
    http.socket.end(bytes);
    await http.closed;
  });
  await fc.assert(property, { seed: SEED, numRuns: 200, interruptAfterTimeLimit: 10_000 });
  const http = await RawHttp.connect(base);
  expect((await http.request('GET', '/v2/health/ready')).status).toBe(200);
  http.destroy();
});

function refuseOther(response: RawResponse): void {
  const text = response.body.toString();
  if (!STATUSES.includes(response.status)) throw new Error(`${response.status} ${text}`);
  if (response.status === 200) return;
  expect(response.json()).toEqual({ error: expect.any(String) as string });
}

function writeChunked(
  http: RawHttp,
  path: string,
  bytes: Uint8Array,
  headers: Readonly<Record<string, number>>,
): void {
  http.write(requestBytes('POST', path, undefined, { ...headers, 'Transfer-Encoding': 'chunked' }));
  for (let at = 0; at < bytes.length; at += 50) {
    const chunk = bytes.subarray(at, at + 50);
    http.write(`${chunk.length.toString(16)}\r\n`);
    http.write(chunk);
    http.write('\r\n');
  }
  http.write('0\r\n\r\n');
}

/** JSON with all digits of its big integers. */
function withDigits(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? `bigint:${item}` : item,
  );
  return text.replace(/"bigint:(-?\d+)"/g, '$1');
}
