import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { TestDaemon } from './daemon.js';

/** How a daemon has answered the upgrade to a WebSocket. */
export interface UpgradeAnswer {
  /** 101 if it was opened. */
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: { error?: string };
}

/** The HTTP address of a daemon's data port. */
export function dataUrl({ process }: TestDaemon): string {
  return process.rpcUrl.replace(/^ws/, 'http').replace('/rpc', '');
}

/** Asks for a WebSocket by hand, and closes it if it is opened. */
export function upgrade(
  daemon: TestDaemon,
  headers: Readonly<Record<string, string>>,
  ca: readonly string[] = [],
): Promise<UpgradeAnswer> {
  const url = `${dataUrl(daemon)}/rpc`;
  return new Promise((resolve, reject) => {
    const all = { ...HANDSHAKE, ...headers };
    const call = url.startsWith('https:')
      ? requestHttps(url, { headers: all, ca: [...ca] })
      : requestHttp(url, { headers: all });
    call.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: response.headers, body: {} });
    });
    call.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const body = JSON.parse(text) as UpgradeAnswer['body'];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    call.on('error', reject).end();
  });
}

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};
