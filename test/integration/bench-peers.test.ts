import { expect, test } from 'vitest';
import { verifyAnswer } from '../../bench/lib/answer.js';
import { mid, otherMid } from '../../bench/lib/models.js';
import { isRunning } from '../../bench/lib/processes.js';
import type { RunningServer } from '../../bench/lib/server.js';
import { wsCluster, wsSingle } from '../../bench/peers/ws-onnxruntime-node/peer.js';

/** Those peers that need nothing but the project's own packages. */

const OPTIONS = { model: mid(), workers: 2 };

/** Whatever a test finds out, nothing of the server stays. */
async function withServer(
  starting: Promise<RunningServer>,
  use: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await starting;
  const pids = server.pids();
  try {
    await use(server);
    pids.push(...server.pids());
  } finally {
    await server.stop();
  }
  expect(pids.filter(isRunning)).toEqual([]);
}

test('a single process switches to another model', () =>
  withServer(wsSingle.start(OPTIONS), async (server) => {
    const before = server.pids();
    await verifyAnswer(server, mid());
    await server.update(otherMid());
    await verifyAnswer(server, mid(), otherMid());
    await expect(verifyAnswer(server, mid())).rejects.toThrow('the values of mid');
    expect(server.pids()).toEqual(before);
  }));

test('a cluster replaces all of its workers by ones with another model', () =>
  withServer(wsCluster.start(OPTIONS), async (server) => {
    const [primary, ...before] = server.pids();
    await verifyAnswer(server, mid());
    await server.update(otherMid());
    await verifyAnswer(server, mid(), otherMid());
    const [samePrimary, ...after] = server.pids();
    expect(samePrimary).toBe(primary);
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  }));
