import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { TlsSettings } from '../../src/access/settings.js';
import { Listener } from '../../src/server/listener.js';
import { findFreePort } from '../../src/supervisor/free-port.js';
import { certificatePath, keyPath, TRUSTED } from '../support/certificates.js';

const HOST = '127.0.0.1';

function tls(name: string): TlsSettings {
  const cert = readFileSync(certificatePath(name), 'utf8');
  return { cert, key: readFileSync(keyPath(name), 'utf8'), minVersion: 'TLSv1.2' };
}

async function listen(): Promise<{ listener: Listener; port: number }> {
  const port = await findFreePort(HOST, 0, 0);
  const listener = new Listener(tls('first'), (app) => {
    app.any('/*', (response) => void response.end('answer'));
  });
  onTestFinished(() => listener.close());
  await listener.listen(HOST, port);
  return { listener, port };
}

test('connections that wait to be accepted survive a change of the certificate', async () => {
  const { listener, port } = await listen();
  for (const name of ['second', 'first', 'second']) {
    // The kernel has connected them, and nobody has accepted them, before the event loop turns.
    const sockets = Array.from({ length: 8 }, () => connect({ port, host: HOST, ca: TRUSTED }));
    listener.setCertificate(tls(name));
    await Promise.all(sockets.map((socket) => once(socket, 'secureConnect')));
    const shown = sockets.map((socket) => socket.getPeerCertificate().subject.CN);
    expect(new Set(shown)).toEqual(new Set([`${name}.test`]));
    for (const socket of sockets) socket.destroy();
  }
});

test('the connections of a certificate end once sixteen more have come', async () => {
  const { listener, port } = await listen();
  const open = async () => {
    const socket = connect({ port, host: HOST, ca: TRUSTED });
    await once(socket, 'secureConnect');
    return socket;
  };
  listener.setCertificate(tls('second'));
  const oldest = await open();
  const names = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 'first' : 'second'));
  for (const name of names.slice(0, 15)) listener.setCertificate(tls(name));
  const newer = await open();
  expect([oldest.readyState, newer.readyState]).toEqual(['open', 'open']);
  const closed = once(oldest, 'close');
  oldest.on('error', () => {});
  oldest.resume();
  listener.setCertificate(tls(names[15] ?? ''));
  await closed;
  expect(newer.readyState).toBe('open');
  newer.destroy();
});

test('a certificate that cannot be used changes nothing', async () => {
  const { listener, port } = await listen();
  const mixed = { ...tls('second'), key: tls('first').key };
  expect(() => listener.setCertificate(mixed)).toThrow(
    'uWebSockets cannot use certificate and key',
  );
  const socket = connect({ port, host: HOST, ca: TRUSTED });
  await once(socket, 'secureConnect');
  expect(socket.getPeerCertificate().subject.CN).toBe('first.test');
  socket.destroy();
});
