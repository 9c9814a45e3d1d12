import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { refusedUpgrade } from './connect-error.js';
import type { Credentials, Socket } from './socket.js';

/** More of an answer is not read. */
const MOST_CHARACTERS = 4096;
/** Of an answer, which the daemon sends in one message whatever its length. */
const MOST_BYTES = 2 ** 31 - 1;

/** The ws package; Node.js 20 has no WebSocket of its own. */
export function openNodeSocket(url: string, { token, ca }: Credentials): Socket {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: MOST_BYTES,
    headers,
    ...(ca !== undefined && { ca: [...ca] }),
  });
  socket.on('unexpected-response', (_, response) => void tellRefusal(socket, response));
  return socket as unknown as Socket;
}

/** With what the server has answered, which ws itself does not tell. */
async function tellRefusal(socket: WebSocket, response: IncomingMessage): Promise<void> {
  const reason = await readReason(response).catch(() => undefined);
  socket.emit('error', refusedUpgrade(response.statusCode ?? 0, reason));
  socket.terminate();
}

/** The text of an answer `{"error": …}`, as the daemon's are; nothing for any other. */
async function readReason(response: IncomingMessage): Promise<string | undefined> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MOST_CHARACTERS) return undefined;
  }
  const { error } = JSON.parse(text) as { error?: unknown };
  return typeof error === 'string' ? error : undefined;
}
