import { encode } from '@msgpack/msgpack';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/index.js';
import { shiftBody } from '../support/inference-http.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawHttp } from '../support/raw-http.js';
import { RawRpc, shiftRequest, slowRequest } from '../support/raw-rpc.js';
import {
  BINARY,
  CLOSE,
  closeCode,
  CONTINUATION,
  PING,
  RawWebSocket,
} from '../support/raw-websocket.js';
import { until } from '../support/until.js';

/** The limits of one worker, as clients meet them. */

const ONE_WORKER = ['--workers', '1'];

/** A daemon with one worker and these limits. */
async function startLimited(limits: string): Promise<TestDaemon> {
  const repository = await testRepository();
  for (const name of ['shift', 'slow']) await repository.publish(name, 1);
  const flags = await repository.daemonConfig(`limits: ${limits}`);
  return startDaemon(repository, flags, {}, ONE_WORKER);
}

async function workerOf({ status }: TestDaemon) {
  const [worker] = (await status()).workers;
  if (!worker) throw new Error('there is no worker');
  return worker;
}

function rawHttp({ process }: TestDaemon): Promise<RawHttp> {
  return RawHttp.connect(process.rpcUrl);
}

/** Asks for answers of a mebibyte each, and reads none of them. */
function askForMebibytes(client: RawWebSocket, count: number): void {
  for (let msgid = 1; msgid <= count; msgid++) {
    client.send(encode([0, msgid, 'ping', ['x'.repeat(2 ** 20)]]));
  }
}

test('a reader that is too slow is counted and cut off with 1013, others are unharmed', async () => {
  const daemon = await startLimited('{ maxBufferedBytesPerConnection: 1MiB }');
  const other = await RawRpc.connect(daemon.process.rpcUrl);
  const slow = await RawWebSocket.connect(daemon.process.rpcUrl);
  askForMebibytes(slow, 64);
  await until('it is counted', async () => (await workerOf(daemon)).limited.slowReaders === 1);
  expect((await other.call('ping', 1)).result).toBe(1);
  slow.read();
  await slow.closed;
  const last = slow.frames.at(-1);
  expect(last?.opcode).toBe(CLOSE);
  expect(closeCode(last as never)).toBe(1013);
  expect(slow.frames.length).toBeLessThan(64);
  expect((await other.call('ping', 2)).result).toBe(2);
  other.close();
});

test('a reader that takes nothing at all is closed, and its memory comes back', async () => {
  const daemon = await startLimited('{ maxBufferedBytesPerConnection: 1MiB }');
  const slow = await RawWebSocket.connect(daemon.process.rpcUrl);
  askForMebibytes(slow, 64);
  await until('it is counted', async () => (await workerOf(daemon)).limited.slowReaders === 1);
  await until('it is gone', async () => (await workerOf(daemon)).connections === 0);
  slow.destroy();
});

test('a reader that sends pings and takes no pong is cut off too', async () => {
  const daemon = await startLimited('{ maxBufferedBytesPerConnection: 64KiB }');
  const slow = await RawWebSocket.connect(daemon.process.rpcUrl);
  const ping = new Uint8Array(125);
  await until('it is counted', async () => {
    for (let i = 0; i < 5_000; i++) slow.send(ping, PING);
    return (await workerOf(daemon)).limited.slowReaders === 1;
  });
  slow.destroy();
});

test('a big answer leaves as fragments, and others of its connection follow it whole', async () => {
  const daemon = await startLimited('{}');
  const client = await RawWebSocket.connect(daemon.process.rpcUrl);
  const text = 'x'.repeat(3 * 2 ** 20);
  client.send(encode([0, 1, 'ping', [text]]));
  client.send(encode([0, 2, 'ping', ['after']]));
  client.read();
  const frames = await client.until((all) => all.at(-1)?.isFinal === true && all.length > 1);
  await client.until((all) => all.filter(({ isFinal }) => isFinal).length === 2);
  const end = frames.findIndex(({ isFinal }) => isFinal);
  const fragments = frames.slice(0, end + 1);
  expect(fragments.length).toBeGreaterThan(2);
  expect(fragments.map(({ opcode }) => opcode)).toEqual([
    BINARY,
    ...fragments.slice(1).map(() => CONTINUATION),
  ]);
  const whole = Buffer.concat(fragments.map(({ payload }) => payload));
  expect(whole.equals(encode([1, 1, null, text]))).toBe(true);
  expect(frames[end + 1]?.payload).toEqual(Buffer.from(encode([1, 2, null, 'after'])));
  client.destroy();
});

test('outputs of any size come back as they are, each message with its fragments', async () => {
  const daemon = await startLimited('{}');
  const client = await connect(daemon.process.rpcUrl);
  const sizes = [1, 15_000, 17_000, 65_530, 65_537, 262_100, 262_144, 1_000_000];
  const answers = await Promise.all(
    sizes.map((rows) => {
      const data = Float32Array.from({ length: 4 * rows }, (_, i) => i % 1_000);
      return client.infer({ model: 'shift', inputs: { x: { shape: [rows, 4], data } } });
    }),
  );
  answers.forEach(({ outputs }, index) => {
    const data = outputs.y?.data as Float32Array;
    expect(data.length).toBe(4 * (sizes[index] as number));
    expect(data.findIndex((value, i) => value !== (i % 1_000) + 1)).toBe(-1);
  });
  await client.close();
});

test('many big answers leave one after another', async () => {
  const daemon = await startLimited('{}');
  const client = await connect(daemon.process.rpcUrl);
  const x = { shape: [2 ** 20, 4], data: new Float32Array(2 ** 22).fill(1) };
  for (let i = 0; i < 20; i++) {
    const { outputs } = await client.infer({ model: 'shift', inputs: { x } });
    expect((outputs.y?.data as Float32Array).length).toBe(2 ** 22);
  }
  await client.close();
});

test('more requests in flight than a connection may have are refused at once, those of others are not', async () => {
  const daemon = await startLimited('{ maxInflightPerConnection: 2 }');
  const [busy, other] = [
    await RawRpc.connect(daemon.process.rpcUrl),
    await RawRpc.connect(daemon.process.rpcUrl),
  ];
  const running = [1, 2].map(() => busy.call('infer', slowRequest(2 ** 50)));
  const { error } = await busy.call('infer', slowRequest(1));
  expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryable: true });
  expect(error?.message).toContain('2 requests of this connection');
  const waiting = other.call('infer', slowRequest(1));
  for (const msgid of [1, 2]) busy.send(encode([2, 'cancel', [{ msgid }]]));
  for (const cancelled of running) expect((await cancelled).error?.code).toBe('CANCELLED');
  expect((await waiting).error).toBeNull();
  expect((await busy.call('infer', slowRequest(1))).error).toBeNull();
  busy.close();
  other.close();
});

describe('over its rate a client', () => {
  const rare = '{ rate: { perSecond: 0.01, burst: 3 } }';

  test('is refused over RPC, plain requests and others, and told when to come again', async () => {
    const daemon = await startLimited(rare);
    const one = await RawRpc.connect(daemon.process.rpcUrl);
    const two = await RawRpc.connect(daemon.process.rpcUrl);
    expect((await one.call('infer', shiftRequest())).error).toBeNull();
    expect((await two.call('infer', shiftRequest())).error).toBeNull();
    expect((await one.call('ping', 1)).result).toBe(1);
    for (const refused of [one.call('infer', shiftRequest()), two.call('ping', 1)]) {
      const { error } = await refused;
      expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryable: true });
      const { retryAfterMs } = (error as unknown as { details: { retryAfterMs: number } }).details;
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(100_000);
    }
    expect((await workerOf(daemon)).limited.overRate).toBe(2);
    one.close();
    two.close();
  });

  test('is refused over HTTP with 429, but for health checks', async () => {
    const daemon = await startLimited(rare);
    const base = daemon.process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
    const infer = () =>
      fetch(`${base}/v2/models/shift/infer`, { method: 'POST', body: shiftBody() });
    for (let i = 0; i < 3; i++) expect((await infer()).status).toBe(200);
    const refused = await infer();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(1);
    expect(await refused.json()).toEqual({ error: expect.stringContaining('0.01') as string });
    expect((await fetch(`${base}/v2/models/shift`)).status).toBe(429);
    expect((await fetch(`${base}/v2/health/ready`)).status).toBe(200);
  });

  test('is refused also if it asks for what there is not', async () => {
    const daemon = await startLimited(rare);
    const base = daemon.process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    expect((await rpc.call('nothing')).error).toMatchObject({ code: 'UNIMPLEMENTED' });
    for (let i = 0; i < 2; i++) expect((await fetch(`${base}/nothing`)).status).toBe(404);
    expect((await rpc.call('nothing')).error).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect((await fetch(`${base}/nothing`)).status).toBe(429);
    rpc.close();
  });

  test('may not guess tokens, which does no harm to those who have one', async () => {
    const token = 'token-of-somebody-else';
    const daemon = await startLimited(`${rare}\nauth: { tokens: [${token}] }`);
    const url = daemon.process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '/v2');
    const guess = { Authorization: 'Bearer token-that-is-guessed' };
    for (let i = 0; i < 3; i++) expect((await fetch(url, { headers: guess })).status).toBe(401);
    expect((await fetch(url, { headers: guess })).status).toBe(429);
    const connecting = RawRpc.connect(daemon.process.rpcUrl, { headers: guess });
    await expect(connecting).rejects.toThrow('429');
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  test('is told from others by its token', async () => {
    const [mine, other] = ['token-of-a-busy-client', 'token-of-another-client'];
    const daemon = await startLimited(`${rare}\nauth: { tokens: [${mine}, ${other}] }`);
    const url = daemon.process.rpcUrl;
    const withToken = (token: string) => ({ Authorization: `Bearer ${token}` });
    const [busy, again, unharmed] = [
      await RawRpc.connect(url, { headers: withToken(mine) }),
      await RawRpc.connect(url, { headers: withToken(mine) }),
      await RawRpc.connect(url, { headers: withToken(other) }),
    ];
    for (const connection of [busy, again, busy]) {
      expect((await connection.call('infer', shiftRequest())).error).toBeNull();
    }
    const { error } = await again.call('infer', shiftRequest());
    expect(error).toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', retryable: true },
      details: { retryAfterMs: expect.any(Number) as number },
    });
    for (let i = 0; i < 3; i++) {
      expect((await unharmed.call('infer', shiftRequest())).error).toBeNull();
    }
    const http = url.replace('ws:', 'http:').replace('/rpc', '/v2');
    expect((await fetch(http, { headers: withToken(mine) })).status).toBe(429);
    expect((await workerOf(daemon)).limited.overRate).toBe(2);
    for (const connection of [busy, again, unharmed]) connection.close();
  });

  test('is served again once the time has passed', async () => {
    const daemon = await startLimited('{ rate: { perSecond: 50, burst: 1 } }');
    const client = await connect(daemon.process.rpcUrl, { retry: { maxAttempts: 50 } });
    const x = { shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) };
    const call = () => client.infer({ model: 'shift', inputs: { x } });
    const answers = await Promise.all(Array.from({ length: 5 }, call));
    expect(answers.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1]);
    await client.close();
  });
});

test('a message over twice the limit closes the connection without a close frame, not those of others', async () => {
  const daemon = await startLimited('{ maxMessageBytes: 64KiB }');
  const [big, other] = [
    await RawWebSocket.connect(daemon.process.rpcUrl),
    await RawRpc.connect(daemon.process.rpcUrl),
  ];
  big.send(new Uint8Array(2 * 64 * 1024 + 1));
  big.read();
  await big.closed;
  expect(big.frames).toEqual([]);
  expect((await other.call('ping', 1)).result).toBe(1);
  other.close();
});

test('a WebSocket from which nothing comes is closed, not one that answers pings', async () => {
  const daemon = await startLimited('{ idleTimeout: 8s }');
  const [silent, alive] = [
    await RawWebSocket.connect(daemon.process.rpcUrl),
    await RawRpc.connect(daemon.process.rpcUrl),
  ];
  silent.read();
  await silent.closed;
  expect(silent.frames.map(({ opcode }) => opcode)).toEqual([PING]);
  expect((await alive.call('ping', 1)).result).toBe(1);
  alive.close();
});

describe('over HTTP a client is cut off', () => {
  test('with a head or a body that trickles in', async () => {
    const daemon = await startLimited('{}');
    const [head, body] = [await rawHttp(daemon), await rawHttp(daemon)];
    const path = '/v2/models/shift/infer';
    head.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n`);
    body.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n`);
    const trickle = setInterval(() => {
      head.write('X-More: 1\r\n');
      body.write('{');
    }, 500);
    onTestFinished(() => clearInterval(trickle));
    await Promise.all([head.closed, body.closed]);
  });

  test('with a body that comes faster, and not within its time', async () => {
    const daemon = await startLimited('{ bodyTimeout: 100ms }');
    const client = await rawHttp(daemon);
    const head =
      'POST /v2/models/shift/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n';
    client.write(`${head}{`);
    const { status, headers, json } = await client.next();
    expect([status, headers.get('connection')]).toEqual([408, 'close']);
    expect(json()).toEqual({ error: expect.stringContaining('100 ms') as string });
    await client.closed;
    expect((await workerOf(daemon)).limited.slowBodies).toBe(1);
  });
});

describe('of more connections than there may be', () => {
  test('a WebSocket is refused, a request over HTTP is the last one of its connection', async () => {
    const daemon = await startLimited('{ maxConnections: 2 }');
    const [first, second] = [await rawHttp(daemon), await RawRpc.connect(daemon.process.rpcUrl)];
    expect((await first.request('GET', '/v2/health/ready')).headers.get('connection')).not.toBe(
      'close',
    );
    await expect(RawRpc.connect(daemon.process.rpcUrl)).rejects.toThrow('503');
    const third = await rawHttp(daemon);
    const { status, headers } = await third.request('GET', '/v2/health/ready');
    expect([status, headers.get('connection')]).toEqual([200, 'close']);
    await third.closed;
    expect((await workerOf(daemon)).limited.overConnections).toBe(1);
    second.close();
    await second.closed;
    const next = await until('there is room', () =>
      RawRpc.connect(daemon.process.rpcUrl).catch(() => undefined),
    );
    expect((await next.call('ping', 1)).result).toBe(1);
    next.close();
    first.destroy();
  });

  test('those far beyond are closed at once, whatever they send', async () => {
    const daemon = await startLimited('{ maxConnections: 1 }');
    const all = await Promise.all(Array.from({ length: 100 }, () => rawHttp(daemon)));
    await until(
      'the rest is closed',
      async () => (await workerOf(daemon)).limited.overConnections === 100 - 1 - 64,
    );
    await until(
      'clients notice',
      () => all.filter(({ socket }) => socket.closed).length === 100 - 1 - 64,
    );
    for (const client of all) client.destroy();
    const rpc = await until('there is room', () =>
      RawRpc.connect(daemon.process.rpcUrl).catch(() => undefined),
    );
    expect((await rpc.call('ping', 1)).result).toBe(1);
    rpc.close();
  });
});
