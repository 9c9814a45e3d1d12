import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { installPair, TRUSTED } from '../support/certificates.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc } from '../support/raw-rpc.js';

/** Clients that connect, begin a handshake and do not end it: they must not keep their connections. */

const UPGRADE =
  'GET /rpc HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
/** A record of TLS 1.0 for a handshake, a ClientHello of 512 bytes, of which the first ones come. */
const HALF_A_CLIENT_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

async function serve(config = ''): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await installPair(repository.path, 'first');
  const flags = await repository.daemonConfig(config);
  return startDaemon(repository, flags, {}, ['--workers', '1']);
}

/** Sends this, and resolves with what has come when the daemon closes the connection. */
async function stall({ process }: TestDaemon, beginning: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(process.rpcUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  if (beginning.length > 0) socket.write(beginning);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => {}); // a reset is a close too
  await once(socket, 'close');
  return received;
}

async function answersOthers(daemon: TestDaemon, ca: readonly string[] = []): Promise<void> {
  const rpc = await RawRpc.connect(daemon.process.rpcUrl, { ca });
  expect((await rpc.call('ping', 1)).result).toBe(1);
  rpc.close();
}

test.each([
  ['that sends nothing', ''],
  ['that does not end its upgrade', UPGRADE],
])('a client %s is closed, and others are served', async (_, beginning) => {
  const daemon = await serve();
  const stalled = stall(daemon, beginning);
  await answersOthers(daemon);
  expect(await stalled).toBe('');
  await answersOthers(daemon);
});

test.each([
  ['that sends nothing', ''],
  ['that does not end its ClientHello', HALF_A_CLIENT_HELLO],
])('with TLS, a client %s is closed, and others are served', async (_, beginning) => {
  const daemon = await serve('listen: { tls: { cert: cert.pem, key: key.pem } }');
  const stalled = stall(daemon, beginning);
  await answersOthers(daemon, TRUSTED);
  expect(await stalled).toBe('');
  await answersOthers(daemon, TRUSTED);
});
