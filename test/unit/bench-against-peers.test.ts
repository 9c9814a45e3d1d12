import { expect, test } from 'vitest';
import { oneByOne, ratioChecks } from '../../bench/lib/against-peers.js';
import { atMost } from '../../bench/lib/check.js';
import type { Settings } from '../../bench/lib/row.js';
import type { ServerKind } from '../../bench/lib/server.js';

const DURATION = { warmupSeconds: 0, seconds: 0 };
const FULL: Settings = {
  quick: false,
  huge: false,
  repeats: 3,
  longRepeats: 3,
  duration: DURATION,
  peers: { repeats: 2, duration: DURATION },
  keep: () => undefined,
};

/** Measured by its name alone, so it is never started. */
function kind(name: string, more: Partial<ServerKind> = {}): ServerKind {
  const start = () => Promise.reject(new Error('not to be started'));
  return { name, problem: () => undefined, start, ...more };
}

const daemon = kind('daemon');

test('each peer is measured in turn with the daemon, every other time the other way round', async () => {
  const order: string[] = [];
  const measure = ({ name }: ServerKind) => Promise.resolve(order.push(name));
  const comparisons = await oneByOne({ daemon, peers: [kind('a'), kind('b')] }, FULL, 2, measure);
  expect(order).toEqual(['daemon', 'a', 'b', 'b', 'a', 'daemon']);
  expect(comparisons).toEqual([
    { peer: 'a', daemon: [1, 6], theirs: [2, 5] },
    { peer: 'b', daemon: [1, 6], theirs: [3, 4] },
  ]);
});

test('what cannot run is not measured, and neither is what is heavy in a quick run', async () => {
  const missing = kind('missing', { problem: () => 'no Python' });
  const heavy = kind('heavy', { isHeavy: true });
  const measured: string[] = [];
  const measure = ({ name }: ServerKind) => Promise.resolve(measured.push(name));
  const peers = [missing, heavy];
  await oneByOne({ daemon, peers }, FULL, 1, measure);
  expect(measured).toEqual(['daemon', 'heavy']);
  const comparisons = await oneByOne({ daemon, peers }, { ...FULL, quick: true }, 1, measure);
  expect(measured).toHaveLength(2);
  expect(comparisons).toEqual([
    { peer: 'missing', problem: 'no Python' },
    { peer: 'heavy', problem: expect.stringContaining('quick') as string },
  ]);
});

test('a check is the ratio of what was measured side by side, with all that it was made from', () => {
  const comparisons = [
    { peer: 'a', daemon: [{ ms: 1 }, { ms: 6 }], theirs: [{ ms: 2 }, { ms: 3 }] },
    { peer: 'b', problem: 'no Python' },
  ];
  const checks = ratioChecks(comparisons, {
    name: 'time',
    budget: atMost(1),
    unit: 'Ms',
    of: ({ ms }) => ms,
    also: { Us: ({ ms }) => ms * 1000 },
    notes: (ours, theirs) => [`${ours.length} and ${theirs.length}`],
  });
  expect(checks).toEqual([
    {
      name: 'time ÷ a',
      budget: atMost(1),
      unit: '×',
      spread: { median: 1.25, min: 0.5, max: 2 },
      values: { daemonMs: [1, 6], peerMs: [2, 3], daemonUs: [1000, 6000], peerUs: [2000, 3000] },
      notes: ['2 and 2'],
    },
    { name: 'time ÷ b', budget: atMost(1), unit: '×', notRun: 'no Python' },
  ]);
});
