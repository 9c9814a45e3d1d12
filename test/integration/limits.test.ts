import { encode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc } from '../support/raw-rpc.js';
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
  await repository.publish('shift', 1);
  const flags = await repository.daemonConfig(`limits: ${limits}`);
  return startDaemon(repository, flags, {}, ONE_WORKER);
}

async function workerOf({ status }: TestDaemon) {
  const [worker] = (await status()).workers;
  if (!worker) throw new Error('there is no worker');
  return worker;
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
