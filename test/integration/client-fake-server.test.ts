import { encode } from '@msgpack/msgpack';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, type Client, type WarmswapError } from '../../src/client/index.js';
import type { CallOptions, ClientOptions, OpenSocket } from '../../src/client/index.js';
import {
  answer,
  echo,
  FakeRpcServer,
  refuse,
  silent,
  type Behaviour,
} from '../support/fake-rpc-server.js';
import { until } from '../support/until.js';

/** The client library against MessagePack-RPC servers that are not Warmswap, and behave as they like. */

const quick = { reconnect: { baseMs: 1, maxMs: 20 }, retry: { baseMs: 1, maxMs: 20 } };

async function connectTo(
  servers: readonly FakeRpcServer[],
  options: ClientOptions = {},
): Promise<Client> {
  const urls = servers.map(({ url }) => url);
  const client = await connect(urls, { ...quick, ...options });
  onTestFinished(() => client.destroy());
  return client;
}

async function allOpened(servers: readonly FakeRpcServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.opened()));
}

const unavailable = { code: 'UNAVAILABLE', message: 'going away', retryable: true };

/** Behaves in the given ways one after the other, in the last one from then on. */
function inTurn(...behaviours: Behaviour[]): Behaviour {
  let turn = 0;
  return (request, server) => {
    (behaviours[turn++] ?? behaviours.at(-1))?.(request, server);
  };
}

/** The URL of a server that answers every upgrade with `status`. */
async function refusing(status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end('not JSON'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('servers that refuse the upgrade', () => {
  test('reject with the code of the first, and the reasons of all', async () => {
    const urls = [await refusing(401), await refusing(403)];
    await expect(connect(urls, quick)).rejects.toMatchObject({
      ...{ code: 'UNAUTHENTICATED', retryable: false },
      message: expect.stringMatching(/HTTP 401; .*HTTP 403$/) as string,
    });
  });

  test('are passed over while another one may be connected', async () => {
    const server = await FakeRpcServer.start(echo);
    const options = { ...quick, connectionWaitMs: 200 };
    const client = await connect([await refusing(401), server.url], options);
    onTestFinished(() => client.destroy());
    expect(await client.ping(1)).toBe(1);
    await server.stop();
    await expect(client.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });

  test('for the moment may be tried again', async () => {
    await expect(connect(await refusing(503), quick)).rejects.toMatchObject({
      ...{ code: 'UNAVAILABLE', retryable: true },
      message: expect.stringContaining('HTTP 503') as string,
    });
  });
});

test('options that are not known are refused before anything is sent', async () => {
  const server = await FakeRpcServer.start(echo);
  const client = await connectTo([server]);
  const refusal = {
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/got 'deadline'$/) as string,
  };
  const wrong = { deadline: 5 } as CallOptions;
  await expect(client.infer({ model: 'm', inputs: {}, ...wrong })).rejects.toMatchObject(refusal);
  await expect(client.ping(1, wrong)).rejects.toMatchObject(refusal);
  await expect(connect(server.url, wrong as ClientOptions)).rejects.toMatchObject(refusal);
  expect(server.received).toEqual([]);
});

describe('the answer of a plain MessagePack-RPC server', () => {
  test('is given as it came', async () => {
    const client = await connectTo([await FakeRpcServer.start(echo)]);
    expect(await client.ping({ a: [1, 'x', null] })).toEqual({ a: [1, 'x', null] });
  });

  test.each([
    ['a text', 'a text'],
    [42, '42'],
    [['a', 1], '["a",1]'],
    [{ reason: 'x' }, '{"reason":"x"}'],
    [true, 'true'],
  ])('that is the error %o rejects as INTERNAL', async (error, message) => {
    const server = await FakeRpcServer.start((request) => refuse(request, error));
    const client = await connectTo([server]);
    await expect(client.ping()).rejects.toMatchObject({
      ...{ name: 'WarmswapError', code: 'INTERNAL', message, retryable: false },
    });
  });

  test('to infer that is none rejects as INTERNAL', async () => {
    const server = await FakeRpcServer.start((request) => answer(request, 'nonsense'));
    const client = await connectTo([server]);
    await expect(client.infer({ model: 'm', inputs: {} })).rejects.toMatchObject({
      ...{ name: 'WarmswapError', code: 'INTERNAL' },
    });
  });

  test('to nobody’s question, and its own requests, are passed over', async () => {
    const server = await FakeRpcServer.start((request) => {
      request.socket.send(encode([1, 999_999, null, 'whose?']));
      request.socket.send(encode([0, 1, 'ask', []]));
      request.socket.send(encode([2, 'event', []]));
      echo(request, server);
    });
    const client = await connectTo([server]);
    expect(await client.ping(1)).toBe(1);
  });

  test.each([
    ['bytes that are no MessagePack', Uint8Array.of(0xc1)],
    ['MessagePack that is no RPC', encode({ a: 1 })],
    ['a text frame', 'hello'],
  ])('that is %s ends the connection, and the call is tried elsewhere', async (_, garbage) => {
    const bad: Behaviour = ({ socket }) => socket.send(garbage);
    const server = await FakeRpcServer.start(inTurn(bad, bad, echo));
    const client = await connectTo([server]);
    expect(await client.ping(1)).toBe(1);
    expect(server.connections).toBe(3);
    const hopeless = await connectTo([await FakeRpcServer.start(bad)]);
    await expect(hopeless.ping()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('no MessagePack-RPC') as string,
    });
  });
});

describe('a retryable error', () => {
  const refusal: Behaviour = (request) => refuse(request, unavailable);

  test('is not the answer while there are attempts left', async () => {
    const server = await FakeRpcServer.start(inTurn(refusal, refusal, echo));
    const client = await connectTo([server]);
    expect(await client.ping(1)).toBe(1);
    expect(server.count('ping')).toBe(3);
  });

  test('is the answer after the last attempt', async () => {
    const server = await FakeRpcServer.start(refusal);
    const client = await connectTo([server], { retry: { maxAttempts: 3, baseMs: 1 } });
    await expect(client.ping()).rejects.toMatchObject(unavailable);
    expect(server.count('ping')).toBe(3);
  });

  test('is the answer to a call that is not idempotent, and where retry is off', async () => {
    const server = await FakeRpcServer.start(refusal);
    const client = await connectTo([server]);
    await expect(client.ping(1, { idempotent: false })).rejects.toMatchObject(unavailable);
    const other = await connectTo([server], { retry: false });
    await expect(other.ping()).rejects.toMatchObject(unavailable);
    expect(server.count('ping')).toBe(2);
  });

  test('is answered by another server, if there is one', async () => {
    const servers = [await FakeRpcServer.start(refusal), await FakeRpcServer.start(echo)];
    const client = await connectTo(servers);
    await allOpened(servers);
    for (let i = 0; i < 10; i++) expect(await client.ping(i)).toBe(i);
    expect(servers[0]?.count('ping')).toBeLessThan(10);
  });

  test('that names a time beyond the deadline is the answer at once', async () => {
    const full = { code: 'RESOURCE_EXHAUSTED', message: 'slow down', retryable: true };
    const error = { ...full, details: { retryAfterMs: 50_000 } };
    const server = await FakeRpcServer.start((request) => refuse(request, error));
    const client = await connectTo([server]);
    await expect(client.ping(1, { deadlineMs: 40_000 })).rejects.toMatchObject(full);
    expect(server.count('ping')).toBe(1);
  });
});

describe('a connection that is lost', () => {
  test('is opened again, and what was in flight is sent again', async () => {
    const server = await FakeRpcServer.start(inTurn(({ socket }) => socket.terminate(), echo));
    const client = await connectTo([server]);
    expect(await client.ping(1)).toBe(1);
    expect(server.connections).toBe(2);
  });

  test('fails what was in flight if that is not idempotent', async () => {
    const server = await FakeRpcServer.start(inTurn(({ socket }) => socket.terminate(), echo));
    const client = await connectTo([server]);
    await expect(client.ping(1, { idempotent: false })).rejects.toMatchObject({
      ...{ code: 'UNAVAILABLE', retryable: true },
    });
    expect(await client.ping(2)).toBe(2);
  });

  test('lets calls wait until the server is back, and bounds them', async () => {
    const server = await FakeRpcServer.start(echo);
    const { port } = server;
    const client = await connectTo([server], { maxPendingCalls: 3, maxPendingBytes: 1_000 });
    await server.stop();
    const waiting = [1, 2, 3].map((value) => client.ping(value));
    await expect(client.ping(4)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await FakeRpcServer.start(echo, port);
    expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
    await expect(client.ping(new Uint8Array(1_000))).rejects.toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', message: expect.stringMatching(/of 1000 bytes/) as string },
    });
    expect(await client.ping(5)).toBe(5);
  });

  test('fails calls that have waited too long, naming the address', async () => {
    const server = await FakeRpcServer.start(echo);
    const { url } = server;
    const client = await connectTo([server], { connectionWaitMs: 30 });
    await server.stop();
    const error = (await client.ping().catch((reason: unknown) => reason)) as WarmswapError;
    expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(error.message).toContain(`${url}/rpc: `);
  });
});

describe('a server that has gone silent', () => {
  test('is given up, and its calls are sent over another connection', async () => {
    const server = await FakeRpcServer.start((request, { connections }) => {
      if (connections > 1) echo(request, server);
    });
    const client = await connectTo([server], { keepAliveMs: 30 });
    expect(await client.ping(1)).toBe(1);
    expect(server.connections).toBeGreaterThan(1);
  });

  test('is kept as long as it gives a sign of life, be it an error', async () => {
    const server = await FakeRpcServer.start((request) => {
      if (request.method === 'ping') refuse(request, 'what is a ping?');
    });
    const client = await connectTo([server], { keepAliveMs: 10 });
    const call = client.models();
    await server.next('ping', 5);
    answer(await server.next('models'), []);
    expect(await call).toEqual([]);
    expect(server.connections).toBe(1);
  });
});

describe('more calls than a connection may carry', () => {
  test('wait for their turn, in order', async () => {
    const server = await FakeRpcServer.start(echo);
    const client = await connectTo([server], { maxInflightPerConnection: 2 });
    const values = Array.from({ length: 20 }, (_, i) => i);
    expect(await Promise.all(values.map((value) => client.ping(value)))).toEqual(values);
    expect(server.received.map(({ params }) => params[0])).toEqual(values);
  });

  test('spread over several connections to the same address', async () => {
    const server = await FakeRpcServer.start(silent);
    const client = await connectTo([server], { connections: 2 });
    await server.opened(2);
    await client.ping(0, { deadlineMs: 20 }).catch(() => {});
    for (const value of [1, 2]) client.ping(value).catch(() => {});
    const [one, other] = [await server.next('ping', 2), await server.next('ping', 3)];
    expect(one.socket).not.toBe(other.socket);
  });
});

describe('a hedged request', () => {
  const slowAndFast = async () => {
    const slow = await FakeRpcServer.start(silent);
    const fast = await FakeRpcServer.start(silent);
    return [slow, fast] as const;
  };

  test('goes to another server after the delay; the first answer wins, the other is cancelled', async () => {
    const servers = await slowAndFast();
    const client = await connectTo(servers, { hedgeAfterMs: 20 });
    await allOpened(servers);
    const call = client.ping('x');
    const requests = await Promise.all(servers.map((server) => server.next('ping')));
    const [loser, winner] = requests;
    answer(winner as never, 'won');
    expect(await call).toBe('won');
    const cancel = await servers[0].next('cancel');
    expect(cancel.params).toEqual([{ msgid: loser?.msgid }]);
    expect(servers[1].count('cancel')).toBe(0);
  });

  test('is not sent if the answer comes before, or without another connection', async () => {
    const server = await FakeRpcServer.start(inTurn(echo, silent));
    const client = await connectTo([server], { hedgeAfterMs: 10 });
    expect(await client.ping(1)).toBe(1);
    await expect(client.ping(2, { deadlineMs: 60 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    expect(server.count('ping')).toBe(2);
  });

  test('is never sent for a call that is not idempotent', async () => {
    const servers = await slowAndFast();
    const client = await connectTo(servers, { hedgeAfterMs: 1 });
    await allOpened(servers);
    client.ping('once', { idempotent: false }).catch(() => {});
    client.ping('once too', { idempotent: false, hedgeAfterMs: 1 }).catch(() => {});
    client.ping('hedged').catch(() => {});
    // What is hedged later comes later over each connection.
    const came = () => servers.flatMap(({ received }) => received.map(({ params }) => params[0]));
    await until('a later call is hedged', () => came().filter((x) => x === 'hedged').length === 2);
    expect(came().sort()).toEqual(['hedged', 'hedged', 'once', 'once too']);
  });

  test('is waited for when the first one fails for now, not when it fails for good', async () => {
    const servers = await slowAndFast();
    const client = await connectTo(servers, { hedgeAfterMs: 10 });
    await allOpened(servers);
    const call = client.ping('x');
    const [one, other] = await Promise.all(servers.map((server) => server.next('ping')));
    refuse(one as never, unavailable);
    answer(other as never, 'won');
    expect(await call).toBe('won');
    const second = client.ping('y');
    const [bad] = await Promise.all(servers.map((server) => server.next('ping', 2)));
    refuse(bad as never, { code: 'NOT_FOUND', message: 'no', retryable: false });
    await expect(second).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a deadline', () => {
  test('that passes without an answer rejects, and the request is cancelled', async () => {
    const server = await FakeRpcServer.start(silent);
    const client = await connectTo([server]);
    const call = client.infer({ model: 'm', inputs: {}, deadlineMs: 50 });
    await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const { msgid, params } = await server.next('infer');
    const [{ deadlineMs }] = params as [{ deadlineMs: number }];
    expect(deadlineMs).toBeGreaterThan(0);
    expect(deadlineMs).toBeLessThanOrEqual(50);
    expect((await server.next('cancel')).params).toEqual([{ msgid }]);
  });

  test('is what is left of it in a later attempt', async () => {
    const later = inTurn(
      (request) => refuse(request, unavailable),
      (request) => answer(request, { model: 'm', version: 1, outputs: {}, timing: {} }),
    );
    const server = await FakeRpcServer.start(later);
    const client = await connectTo([server], { deadlineMs: 5_000 });
    await client.infer({ model: 'm', inputs: {} });
    const [first, second] = server.received.map(
      ({ params }) => (params[0] as { deadlineMs: number }).deadlineMs,
    );
    expect(second).toBeLessThan(first as number);
  });

  test('holds while a call waits for a connection', async () => {
    const server = await FakeRpcServer.start(echo);
    const client = await connectTo([server]);
    await server.stop();
    const call = client.ping(1, { deadlineMs: 30 });
    await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe('aborting', () => {
  test('rejects as CANCELLED with the reason, and cancels the request', async () => {
    const server = await FakeRpcServer.start(silent);
    const client = await connectTo([server]);
    const { signal, abort } = abortable();
    const call = client.ping(1, { signal });
    const { msgid } = await server.next('ping');
    abort('enough');
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED', cause: 'enough' });
    expect((await server.next('cancel')).params).toEqual([{ msgid }]);
  });

  test('before the call sends nothing', async () => {
    const server = await FakeRpcServer.start(echo);
    const client = await connectTo([server]);
    const call = client.ping(1, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED', cause: { name: 'AbortError' } });
    expect(await client.ping(2)).toBe(2);
    expect(server.received).toHaveLength(1);
  });

  test('ends a call that waits for a connection', async () => {
    const server = await FakeRpcServer.start(echo);
    const client = await connectTo([server]);
    await server.stop();
    const { signal, abort } = abortable();
    const call = client.ping(1, { signal });
    abort('enough');
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    await client.close();
  });

  function abortable() {
    const controller = new AbortController();
    return { signal: controller.signal, abort: controller.abort.bind(controller) };
  }
});

describe('connecting', () => {
  test('takes one of several addresses, whichever answers', async () => {
    const server = await FakeRpcServer.start(echo);
    const client = await connect(['ws://127.0.0.1:1', server.url], quick);
    expect(await client.ping(1)).toBe(1);
    await client.close();
  });

  test('gives up when nobody has answered, naming all addresses', async () => {
    await expect(connect(['ws://127.0.0.1:1', 'ws://127.0.0.1:2'])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1\/rpc: .*127\.0\.0\.1:2\/rpc: /) as string,
    });
  });

  test('goes over the socket that the caller opens', async () => {
    const server = await FakeRpcServer.start(echo);
    const opened: string[] = [];
    const { openNodeSocket } = await import('../../src/client/socket-node.js');
    const openSocket: OpenSocket = (url, credentials) => {
      opened.push(url);
      return openNodeSocket(url, credentials);
    };
    const client = await connectTo([server], { openSocket });
    expect(await client.ping(1)).toBe(1);
    expect(opened).toEqual([`${server.url}/rpc`]);
  });
});

describe('events', () => {
  const agree: Behaviour = (request) => answer(request, {});

  test('come to whom they concern, until they are wanted no longer', async () => {
    const server = await FakeRpcServer.start(agree);
    const client = await connectTo([server]);
    const seen: string[] = [];
    const swaps = await client.subscribe(['swap'], ({ type }) => seen.push(`one ${type}`));
    await client.subscribe(['swap', 'model'], ({ type }, url) => seen.push(`two ${type} ${url}`));
    expect(server.received.map(({ params }) => params[0])).toEqual([
      ...[{ events: ['swap'] }, { events: ['model'] }],
    ]);
    const url = `${server.url}/rpc`;
    server.notify('event', { type: 'swap' });
    server.notify('event', { type: 'model.ready' });
    await until('both have come', () => seen.length >= 3);
    expect(seen).toEqual(['one swap', `two swap ${url}`, `two model.ready ${url}`]);
    swaps.unsubscribe();
    swaps.unsubscribe();
    server.notify('event', { type: 'swap' });
    await until('it has come', () => seen.length >= 4);
    expect(seen.at(-1)).toBe(`two swap ${url}`);
    expect(server.count('unsubscribe')).toBe(0);
  });

  test('are asked for again on a new connection', async () => {
    const server = await FakeRpcServer.start(agree);
    const client = await connectTo([server]);
    const seen: unknown[] = [];
    const resumed: string[] = [];
    const onResumed = (url: string) => resumed.push(url);
    await client.subscribe(['swap'], (event) => seen.push(event), { onResumed });
    server.cut();
    await server.next('subscribe', 2);
    await until('events come again', () => resumed.length === 1);
    server.notify('event', { type: 'swap', generation: 2 });
    await until('it has come', () => seen.length > 0);
    expect(seen).toEqual([{ type: 'swap', generation: 2 }]);
  });

  test('are asked for again when the server cannot serve them now', async () => {
    const server = await FakeRpcServer.start(
      inTurn((request) => refuse(request, unavailable), agree),
    );
    const client = await connectTo([server]);
    await client.subscribe(['worker'], () => {});
    expect((await server.next('subscribe', 2)).params).toEqual([{ events: ['worker'] }]);
  });

  test('that the server refuses reject, and are asked for no more', async () => {
    const error = { code: 'PERMISSION_DENIED', message: 'not for you', retryable: false };
    const server = await FakeRpcServer.start(inTurn((request) => refuse(request, error), agree));
    const client = await connectTo([server]);
    await expect(client.subscribe(['swap'], () => {})).rejects.toMatchObject(error);
    server.cut();
    await server.opened(2);
    await client.ping();
    expect(server.count('subscribe')).toBe(1);
  });

  test('that nobody wants any more are unsubscribed from', async () => {
    const server = await FakeRpcServer.start(agree);
    const client = await connectTo([server]);
    const subscription = await client.subscribe(['swap', 'worker'], () => {});
    subscription.unsubscribe();
    expect((await server.next('unsubscribe')).params).toEqual([{ events: ['swap', 'worker'] }]);
  });
});

describe('closing', () => {
  test('waits for what is in flight, also over a lost connection', async () => {
    const server = await FakeRpcServer.start(inTurn(({ socket }) => socket.terminate(), echo));
    const client = await connectTo([server]);
    const call = client.ping(1);
    const closed = client.close();
    expect(await call).toBe(1);
    await closed;
    await expect(client.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(client.subscribe(['swap'], () => {})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(server.connections).toBe(2);
  });

  test('can be cut short by destroying', async () => {
    const server = await FakeRpcServer.start(silent);
    const client = await connectTo([server]);
    const call = client.ping(1);
    const closed = client.close();
    client.destroy();
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await closed;
  });
});
