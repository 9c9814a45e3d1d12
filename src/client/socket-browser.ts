import type { Socket } from './socket.js';

type SocketClass = new (url: string) => Socket;

/** The platform's own WebSocket: browsers, Deno, workers. */
export function openPlatformSocket(url: string): Socket {
  const { WebSocket } = globalThis as unknown as { WebSocket: SocketClass };
  return new WebSocket(url);
}
