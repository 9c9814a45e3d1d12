import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Grant } from '../access/grant.js';
import type { TokenSet } from '../access/token-set.js';
import { insteadOfToken, tokenOfHeader } from '../rpc/bearer.js';
import { WarmswapError } from '../rpc/errors.js';

/** Who may use the admin interface. */

/** Throws UNAUTHENTICATED or PERMISSION_DENIED unless the request brings a token for it, if it takes one. */
export function requireToken({ headers }: IncomingMessage, tokens: TokenSet): Grant {
  const { authorization = '' } = headers;
  return tokens.admit('admin', tokenOfHeader(authorization), insteadOfToken(authorization));
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
