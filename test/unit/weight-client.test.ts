import { expect, test } from 'vitest';
import type { FromWorker } from '../../src/worker/messages.js';
import { WeightClient } from '../../src/worker/weight-client.js';

const SLAB = { handle: 'ab', bytes: 1 };
const BORROW = { type: 'borrowWeights', request: 1, modelPath: '/m', gpu: 2 };
const CLOSED = { type: 'returnWeights', request: 1 };
const SETTLED = { type: 'weightsSettled', request: 1 };

function makeClient() {
  const sent: FromWorker[] = [];
  return { sent, client: new WeightClient((message) => sent.push(message)) };
}

test('what is borrowed is given back once, and the load settled once', async () => {
  const { sent, client } = makeClient();
  const borrowed = client.borrow('/m', 2);
  expect(sent).toEqual([BORROW]);
  client.onAnswer(1, { slab: SLAB });
  const lease = await borrowed;
  expect(lease.slab).toEqual(SLAB);
  for (let i = 0; i < 2; i++) {
    lease.settle();
    lease.giveBack();
  }
  expect(sent).toEqual([BORROW, SETTLED, CLOSED]);
});

test('who gets none is told why, and owes nothing', async () => {
  const { sent, client } = makeClient();
  const borrowed = client.borrow('/m', 2);
  client.onAnswer(1, { reason: 'no room' });
  await expect(borrowed).rejects.toMatchObject({
    ...{ code: 'FAILED_PRECONDITION', message: 'no room' },
  });
  expect(sent).toEqual([BORROW]);
});

test('a borrow that is given up gives back what may be on its way, which is then ignored', async () => {
  const { sent, client } = makeClient();
  const cancel = new AbortController();
  const borrowed = client.borrow('/m', 2, cancel.signal);
  cancel.abort();
  await expect(borrowed).rejects.toMatchObject({ code: 'CANCELLED' });
  client.onAnswer(1, { slab: SLAB });
  expect(sent).toEqual([BORROW, CLOSED, SETTLED]);
});

test('a load that is given up before borrows nothing', async () => {
  const { sent, client } = makeClient();
  const borrowed = client.borrow('/m', 2, AbortSignal.abort());
  await expect(borrowed).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(sent).toEqual([]);
});

test('an answer is for the request that it names', async () => {
  const { client } = makeClient();
  const [first, second] = [client.borrow('/a', 0), client.borrow('/b', 0)];
  client.onAnswer(3, { slab: SLAB });
  client.onAnswer(2, { slab: SLAB });
  client.onAnswer(1, { reason: 'no room' });
  expect((await second).slab).toEqual(SLAB);
  await expect(first).rejects.toThrow('no room');
});
