import { expect, test } from 'vitest';
import { OPEN } from '../../src/access/grant.js';
import type { DaemonEvent } from '../../src/rpc/events.js';
import { decodeMessage } from '../../src/rpc/frames.js';
import { parseEventTypes } from '../../src/rpc/params.js';
import { Subscriptions } from '../../src/server/subscriptions.js';

const SWAP: DaemonEvent = { type: 'swap', state: 'committed', generation: 3 };

class Noting {
  constructor(readonly grant = OPEN) {}

  readonly frames: Uint8Array[] = [];

  push(frame: Uint8Array): void {
    this.frames.push(frame);
  }
}

test('an event goes once to each who has subscribed to its type', () => {
  const subscriptions = new Subscriptions();
  const [one, two] = [new Noting(), new Noting()];
  subscriptions.subscribe(one, ['swap', 'worker']);
  subscriptions.subscribe(one, ['swap']);
  subscriptions.subscribe(two, ['model']);
  subscriptions.publish(SWAP);
  expect([one.frames.length, two.frames.length]).toEqual([1, 0]);
  expect(decodeMessage(one.frames[0] ?? new Uint8Array())).toEqual({
    ...{ kind: 'notification', method: 'event', params: [SWAP] },
  });
});

test('nothing comes after it is unsubscribed, or the connection is gone', () => {
  const subscriptions = new Subscriptions();
  const [one, two] = [new Noting(), new Noting()];
  for (const each of [one, two]) subscriptions.subscribe(each, ['swap', 'model']);
  subscriptions.unsubscribe(one, ['swap']);
  subscriptions.remove(two);
  subscriptions.publish(SWAP);
  expect([one.frames, two.frames]).toEqual([[], []]);
});

test.each([[[]], [['swap', 'swaps']], ['swap'], [undefined]])(
  'what are no types of events is refused: %j',
  (events) => {
    expect(() => parseEventTypes([{ events }], 'subscribe')).toThrow(
      "'events': expected an array of at least one of swap, model, worker, got",
    );
  },
);
