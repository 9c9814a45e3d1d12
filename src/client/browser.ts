import { connectWith, type Client } from './client.js';
import type { ClientOptions } from './options.js';
import { openPlatformSocket } from './socket-browser.js';

/** The client library for browsers and what is like them: `index.ts` with the platform's WebSocket. */
export * from './api.js';

/**
 * Connects to a daemon, for example `ws://127.0.0.1:9000` (the path /rpc may be left out), or to
 * several that serve the same models. Resolves when one of them answers. Rejects with UNAVAILABLE if
 * none does, for whatever reason: a browser does not tell a page that its token was refused, nor with
 * which status; with INVALID_ARGUMENT for a URL or an option that is none.
 */
export function connect(
  urls: string | readonly string[],
  options: ClientOptions = {},
): Promise<Client> {
  return connectWith(openPlatformSocket, urls, options);
}
