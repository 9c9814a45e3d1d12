import { describe, expect, onTestFinished, test } from 'vitest';
import { Budget } from '../../src/client/budget.js';
import { connect, type Client, type ClientOptions } from '../../src/client/index.js';
import { fakeSockets, type FakeSocket } from '../support/fake-socket.js';
import { until } from '../support/until.js';

/** The bounds of what a client holds: by number, by bytes, also of calls that have ended. */

const EXHAUSTED = { code: 'RESOURCE_EXHAUSTED', retryable: true };

describe('the budget', () => {
  const taken = { isTaken: () => true };
  const held = () => ({ isTaken: () => false });

  function refusal(budget: Budget, bytes: number): string {
    try {
      budget.take(bytes);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  }

  test('is given back by a call of which sockets hold nothing', () => {
    const budget = new Budget(2, 100);
    for (const left of [[], [taken], [taken, taken]]) {
      budget.take(100);
      expect(refusal(budget, 1)).toContain('101 of 100 bytes');
      budget.giveBack(100, left);
    }
    expect(refusal(budget, 100)).toBe('');
  });

  test('is given back by any other call once every socket has taken it', () => {
    const budget = new Budget(2, 100);
    const copies = [held(), held()];
    budget.take(60);
    budget.giveBack(60, copies);
    expect(refusal(budget, 60)).toContain('120 of 100 bytes');
    Object.assign(copies[0] ?? {}, taken);
    expect(refusal(budget, 60)).toContain('120 of 100 bytes');
    Object.assign(copies[1] ?? {}, taken);
    expect(refusal(budget, 60)).toBe('');
    expect(refusal(budget, 60)).toContain('120 of 100 bytes');
  });

  test('bounds the number of calls that sockets hold, however small they are', () => {
    const budget = new Budget(2, 100);
    const sent = [held(), held()];
    for (const each of sent) {
      budget.take(0);
      budget.giveBack(0, [each]);
    }
    expect(refusal(budget, 0)).toContain('2 calls');
    Object.assign(sent[1] ?? {}, taken);
    expect(refusal(budget, 0)).toBe('');
    expect(refusal(budget, 0)).toContain('2 calls');
  });
});

describe('a connection that takes nothing', () => {
  const PAYLOAD = new Uint8Array(1_000);

  async function clientOf(options: ClientOptions): Promise<[Client, FakeSocket, FakeSocket[]]> {
    const { sockets, openSocket } = fakeSockets();
    const reconnect = { baseMs: 1, maxMs: 1 };
    const client = await connect('ws://fake.example', { openSocket, reconnect, ...options });
    onTestFinished(() => client.destroy());
    return [client, sockets[0] ?? expect.unreachable(), sockets];
  }

  /** Sends a request and lets go of it. */
  async function abort(client: Client): Promise<void> {
    const controller = new AbortController();
    const call = client.ping(PAYLOAD, { signal: controller.signal });
    controller.abort();
    await call.catch((error: unknown) => {
      if ((error as { code: string }).code !== 'CANCELLED') throw error;
    });
  }

  test('refuses who aborts again and again, until it has taken what it holds', async () => {
    const [client, socket] = await clientOf({ maxPendingBytes: 4_500 });
    for (let i = 0; i < 4; i++) await abort(client);
    await expect(abort(client)).rejects.toMatchObject(EXHAUSTED);
    const [size = 0] = socket.sizes;
    socket.take(size - 1);
    await expect(abort(client)).rejects.toMatchObject(EXHAUSTED);
    socket.take();
    for (let i = 0; i < 4; i++) await abort(client);
    await expect(abort(client)).rejects.toMatchObject(EXHAUSTED);
  });

  test('gives room for one more when it has taken one', async () => {
    const [client, socket] = await clientOf({ maxPendingBytes: 4_500 });
    for (let i = 0; i < 4; i++) await abort(client);
    const [size = 0] = socket.sizes;
    socket.take(size);
    await abort(client);
    await expect(abort(client)).rejects.toMatchObject(EXHAUSTED);
  });

  test('holds what has passed its deadline, by the number of calls', async () => {
    const [client, socket] = await clientOf({ maxPendingCalls: 1 });
    const late = client.ping(PAYLOAD, { deadlineMs: 1 });
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(client.ping()).rejects.toMatchObject(EXHAUSTED);
    socket.take();
    const next = client.ping();
    socket.answer('there');
    expect(await next).toBe('there');
    const another = client.ping();
    socket.answer('again');
    expect(await another).toBe('again');
  });

  test('holds nothing any more once it has ended', async () => {
    const [client, socket, sockets] = await clientOf({ maxPendingBytes: 4_500 });
    for (let i = 0; i < 4; i++) await abort(client);
    await expect(abort(client)).rejects.toMatchObject(EXHAUSTED);
    socket.close();
    const next = client.ping(PAYLOAD);
    await until('it is sent over another one', () => sockets.at(-1)?.sizes.length === 1);
    sockets.at(-1)?.answer('there');
    expect(await next).toBe('there');
  });
});
