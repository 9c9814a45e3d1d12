/**
 * How a token travels: as `Authorization: Bearer TOKEN`, or, from browsers, which cannot set headers of a
 * WebSocket, as its first subprotocol.
 */

/** The subprotocol of MessagePack-RPC, which the server chooses. */
export const RPC_PROTOCOL = 'warmswap';
const BEARER_PROTOCOL = 'warmswap.bearer.';

/** What a browser offers. The token has only characters of Bearer tokens (RFC 6750). */
export function bearerProtocols(token: string): string[] {
  return [BEARER_PROTOCOL + encodeURIComponent(token), RPC_PROTOCOL];
}

/** The token of an Authorization header, if it has one. */
export function tokenOfHeader(authorization: string): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/** What an Authorization header has instead of a token. */
export function insteadOfToken(authorization: string): string {
  if (authorization.trim() === '') return 'none';
  return /^Bearer\b/i.test(authorization) ? 'one that is no token' : 'another scheme';
}

export interface OfferedProtocols {
  /** What the first one carries. */
  token: string | undefined;
  /** The one to answer with; none that carries a token. */
  chosen: string | undefined;
}

/** Reads a Sec-WebSocket-Protocol header. */
export function readProtocols(header: string): OfferedProtocols {
  const offered = header.split(',').map((each) => each.trim());
  const [first = ''] = offered;
  const others = offered.filter((each) => each !== '' && !each.startsWith(BEARER_PROTOCOL));
  const chosen = others.includes(RPC_PROTOCOL) ? RPC_PROTOCOL : others[0];
  return { token: first.startsWith(BEARER_PROTOCOL) ? decode(first) : undefined, chosen };
}

function decode(protocol: string): string {
  const text = protocol.slice(BEARER_PROTOCOL.length);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
