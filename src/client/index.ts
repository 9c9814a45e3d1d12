import { connectWith, type Client } from './client.js';
import type { ClientOptions } from './options.js';
import { openNodeSocket } from './socket-node.js';

/** The client library for Node.js: `browser.ts` with the WebSocket of the ws package. */
export * from './api.js';

/**
 * Connects to a daemon, for example `ws://127.0.0.1:9000` (the path /rpc may be left out), or to
 * several that serve the same models. Resolves when one of them answers. Rejects with UNAVAILABLE if
 * none does; with UNAUTHENTICATED or PERMISSION_DENIED if the token is refused; with
 * FAILED_PRECONDITION where there is no RPC or the certificate is not trusted; with INVALID_ARGUMENT
 * for a URL or an option that is none.
 */
export function connect(
  urls: string | readonly string[],
  options: ClientOptions = {},
): Promise<Client> {
  return connectWith(openNodeSocket, urls, options);
}
