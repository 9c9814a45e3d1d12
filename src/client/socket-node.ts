import { WebSocket } from 'ws';
import type { Socket } from './socket.js';

/** The ws package; Node.js 20 has no WebSocket of its own. */
export function openNodeSocket(url: string): Socket {
  return new WebSocket(url, { perMessageDeflate: false }) as unknown as Socket;
}
