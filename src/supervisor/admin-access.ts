import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { WarmswapError } from '../rpc/errors.js';

/** Who may use the admin interface. */

/** Throws UNAUTHENTICATED unless the request brings the token, in time that tells nothing of it. */
export function requireToken({ headers }: IncomingMessage, token: string): void {
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (given === undefined) {
    const reason = "expected the header 'Authorization: Bearer TOKEN', got none";
    throw new WarmswapError('UNAUTHENTICATED', reason);
  }
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new WarmswapError('UNAUTHENTICATED', 'the token is another one than admin.token');
}

/**
 * A page that the operator visits must not steer the daemon, nor, where there is no token, read it
 * through a name of its own. Throws PERMISSION_DENIED.
 */
export function refuseBrowsers({ headers }: IncomingMessage, hasToken: boolean): void {
  const host = (headers.host ?? 'localhost').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const isNamed = isIP(host) === 0 && host !== 'localhost';
  if (headers.origin === undefined && (hasToken || !isNamed)) return;
  throw new WarmswapError('PERMISSION_DENIED', 'requests of browsers are refused');
}

/** Of equal length whatever the text. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
