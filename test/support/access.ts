import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { TestDaemon } from './daemon.js';

/** The status of a WebSocket upgrade or of a request that is answered, and the answer. */
export interface Refusal {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: { error?: string };
}

/** The HTTP address of a daemon's data port. */
export function dataUrl({ process }: TestDaemon): string {
  return process.rpcUrl.replace(/^ws/, 'http').replace('/rpc', '');
}

/** Asks for a WebSocket by hand; 101 if it is opened, which ends it. */
export function upgrade(
  daemon: TestDaemon,
  headers: Readonly<Record<string, string>>,
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const call = request(`${dataUrl(daemon)}/rpc`, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version': '13',
        ...headers,
      },
    });
    call.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: response.headers, body: {} });
    });
    call.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const body = JSON.parse(text) as Refusal['body'];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    call.on('error', reject).end();
  });
}

/** Everything that a daemon tells of itself, as one text. */
export async function allThatIsTold(daemon: TestDaemon, config: string): Promise<string> {
  const { pid, log } = daemon.process;
  const parts = [JSON.stringify(log), JSON.stringify(await daemon.status())];
  parts.push(await readFile(`/proc/${pid}/cmdline`, 'utf8'), config);
  return parts.join('\n');
}
