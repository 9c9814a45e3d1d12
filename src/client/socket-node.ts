import { WebSocket } from 'ws';
import type { Credentials, Socket } from './socket.js';

/** The ws package; Node.js 20 has no WebSocket of its own. */
export function openNodeSocket(url: string, { token, ca }: Credentials): Socket {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return new WebSocket(url, {
    perMessageDeflate: false,
    headers,
    ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
  }) as unknown as Socket;
}
