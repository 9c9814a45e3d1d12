import { isIP } from 'node:net';

/**
 * By which names a port may be asked. Whoever owns a name may let it mean this host, and then a page of
 * his, at the origin of that name, reads what the port answers (DNS rebinding); only the header Host
 * tells. An address cannot be rebound.
 */
export class HostNames {
  readonly #listed: ReadonlySet<string> | undefined;

  /** Beside these, addresses and localhost are always allowed. Left out, or with `*`: all names. */
  constructor(listed: readonly string[] | undefined) {
    const all = !listed || listed.includes('*');
    this.#listed = all ? undefined : new Set(listed.map(withoutEnd));
  }

  /** `host` as the header has it, with or without a port; empty for none, which no browser sends. */
  allows(host: string): boolean {
    if (!this.#listed || host === '') return true;
    const name = withoutEnd(host.replace(/:\d*$/, ''));
    const isAddress = isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
    return isAddress || isLocalhost(name) || this.#listed.has(name);
  }
}

/** In lower case, and without the dot that may stand behind a whole name. */
function withoutEnd(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Browsers let these mean this host, whatever a name server says. */
function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}
