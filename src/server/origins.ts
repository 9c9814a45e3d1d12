import { isIP } from 'node:net';

/**
 * Which web pages may call. A browser names the page's origin with every WebSocket, and with every request
 * over HTTP that another page makes; whoever names none is no page.
 */
export class Origins {
  readonly #listed: ReadonlySet<string> | undefined;

  /** `*` allows all. Left out: pages of this host, by a loopback address or as localhost. */
  constructor(listed: readonly string[] | undefined) {
    this.#listed = listed && new Set(listed);
  }

  allows(origin: string): boolean {
    if (origin === '') return true;
    if (!this.#listed) return isLoopback(origin);
    return this.#listed.has('*') || this.#listed.has(origin.toLowerCase());
  }
}

/** Not by whether its name is that of the server: whoever owns a name may let it mean any address. */
function isLoopback(origin: string): boolean {
  if (!/^https?:/i.test(origin) || !URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname === '[::1]' || isLoopbackV4(hostname);
}

function isLoopbackV4(hostname: string): boolean {
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
