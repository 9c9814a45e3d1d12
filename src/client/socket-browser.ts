import { bearerProtocols } from '../rpc/bearer.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Credentials, Socket } from './socket.js';

type SocketClass = new (url: string, protocols: string[]) => Socket;

/** The platform's own WebSocket: browsers, Deno, workers. It takes no headers and no certificates. */
export function openPlatformSocket(url: string, { token, ca }: Credentials): Socket {
  if (ca !== undefined) {
    throw new WarmswapError('INVALID_ARGUMENT', "'ca': this platform has certificates of its own");
  }
  const { WebSocket } = globalThis as unknown as { WebSocket: SocketClass };
  return new WebSocket(url, token === undefined ? [] : bearerProtocols(token));
}
