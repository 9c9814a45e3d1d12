import type { us_listen_socket } from 'uWebSockets.js';
import { findFreePort } from '../../supervisor/free-port.js';
import { fail, ok, type Check } from './check.js';

/** Whether two listeners share one port (SO_REUSEPORT), as the workers do, with the server's own library. */

const NAME = 'shared port';
const HOST = '127.0.0.1';

export async function checkSharedPort(): Promise<Check> {
  // It is native code, which may not load: that is a finding, too.
  const library = await import('uWebSockets.js').catch((error: unknown) => error as Error);
  if (library instanceof Error) {
    const remedy = 'install Warmswap again with the Node.js that runs it (npm ci)';
    return fail('uWebSockets.js', library.message, remedy);
  }
  const { default: uWS } = library;
  const port = await findFreePort(HOST, 0);
  const sockets: us_listen_socket[] = [];
  for (const app of [uWS.App(), uWS.App()]) {
    app.listen(HOST, port, (socket) => {
      if (socket) sockets.push(socket);
    });
  }
  for (const socket of sockets) uWS.us_listen_socket_close(socket);
  if (sockets.length === 2) return ok(NAME, 'two listeners share one (SO_REUSEPORT)');
  const remedy =
    'use a kernel or container runtime that has SO_REUSEPORT: the workers share one port';
  return fail(NAME, `${sockets.length} of 2 listeners could listen on port ${port}`, remedy);
}
