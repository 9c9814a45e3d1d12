import { expect, test } from 'vitest';
import { connect } from '../../src/client/index.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { float32, RawRpc } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** A version that fails at run time, and what stands in for it. */

let daemon: TestDaemon;
let rpc: RawRpc;

/** Serves the fixture `fails-at-run` as versions 1 and 2, of which 2 is active. */
async function serve(breaker: string, more = ''): Promise<void> {
  const repository = await testRepository();
  for (const version of [1, 2]) await repository.publish('m', version, 'fails-at-run', 1);
  await repository.configure(
    'm',
    `labels: { stable: 1 }\nwarmup: { runs: 0 }\nbreaker: ${breaker}\n${more}`,
  );
  daemon = await startDaemon(repository, [], {}, ['--workers', '1']);
  rpc = await RawRpc.connect(daemon.process.rpcUrl);
}

/** Fails if `n` is odd. */
const request = (n: number, more: object = {}) => ({
  model: 'm',
  inputs: { x: { datatype: 'FP32', shape: [n], data: float32(new Array<number>(n).fill(1)) } },
  ...more,
});
const ask = async (n: number, more: object = {}) => {
  const { error, result } = await rpc.call('infer', request(n, more));
  return error === null ? result.version : error.code;
};

async function fail(times: number): Promise<void> {
  for (let i = 0; i < times; i++) expect(await ask(3)).toBe('INTERNAL');
}

const breakerOf = async (version: number) => {
  const [model] = (await daemon.status()).models;
  return model?.versions.find((each) => each.version === version)?.breaker;
};

test('opens after failures, refuses with UNAVAILABLE, and tells so in status, events and HTTP', async () => {
  await serve('{ minRequests: 4, cooldown: 60s }');
  await rpc.call('subscribe', { events: ['model'] });
  expect(await ask(4)).toBe(2);
  expect(await breakerOf(2)).toEqual({ state: 'closed', openings: 0 });
  await fail(3);
  const { error } = await rpc.call('infer', request(4));
  expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  const { retryAfterMs } = (error as unknown as { details: { retryAfterMs: number } }).details;
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  expect(await breakerOf(2)).toEqual({ state: 'open', openings: 1 });
  await until('the event has come', () => rpc.events.length > 0);
  expect(rpc.events).toMatchObject([{ type: 'model', state: 'broken', version: 2, worker: 0 }]);
  const url = daemon.process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
  const x = { name: 'x', datatype: 'FP32', shape: [4], data: [1, 2, 3, 4] };
  const post = (path: string) =>
    fetch(`${url}/v2/models/m${path}/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs: [x] }),
    });
  const refused = await post('');
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
  expect((await post('/versions/1')).status).toBe(200);
  expect(await ask(4, { label: 'stable' })).toBe(1);
  rpc.close();
});

test('wrong input, which fails too, opens nothing', async () => {
  await serve('{ minRequests: 2, errorRatio: 0.1, cooldown: 60s }');
  const wrong = { inputs: { x: { datatype: 'INT64', shape: [1], data: new Uint8Array(8) } } };
  for (let i = 0; i < 10; i++) expect(await ask(1, wrong)).toBe('INVALID_ARGUMENT');
  expect(await ask(4, { deadlineMs: 1e-6 })).toBe('DEADLINE_EXCEEDED');
  expect(await ask(4)).toBe(2);
  expect(await breakerOf(2)).toEqual({ state: 'closed', openings: 0 });
  rpc.close();
});

test('the fallback answers meanwhile, but not who asks for the broken version', async () => {
  await serve('{ minRequests: 4, cooldown: 60s, fallback: stable }');
  await fail(4);
  expect(await ask(4)).toBe(1);
  expect(await ask(4, { outputs: ['y'] })).toBe(1);
  expect(await ask(4, { version: 2 })).toBe('UNAVAILABLE');
  await until('the fallback is broken too', async () => (await ask(3)) === 'UNAVAILABLE');
  expect(await ask(4)).toBe('UNAVAILABLE');
  rpc.close();
});

test.each(['inline', 'threaded'])(
  '%s: lets a request through after the cooldown, and closes when that succeeds',
  async (execution) => {
    await serve('{ minRequests: 4, cooldown: 100ms, fallback: 1 }', `execution: ${execution}`);
    await fail(4);
    await until('it has been tried again in vain', async () => {
      await ask(3);
      return ((await breakerOf(2))?.openings ?? 0) >= 2;
    });
    await until('it serves again', async () => (await ask(4)) === 2);
    expect((await breakerOf(2))?.state).toBe('closed');
    expect(await ask(4)).toBe(2);
    rpc.close();
  },
);

test('the client library waits as long as it is told and succeeds', async () => {
  await serve('{ minRequests: 4, cooldown: 300ms }');
  await fail(4);
  const client = await connect(daemon.process.rpcUrl, { retry: { maxAttempts: 50 } });
  const x = { shape: [4], data: Float32Array.of(1, 2, 3, 4) };
  expect((await client.infer({ model: 'm', inputs: { x } })).version).toBe(2);
  await client.close();
  rpc.close();
});
