import type { Grant } from '../access/grant.js';

const IPV6_BYTES = 16;
const IPV6_NETWORK_BYTES = 8;
/** ::ffff:0:0/96, in which IPv6 sockets show IPv4 addresses. */
const MAPPED_PREFIX = '00000000000000000000ffff';

/**
 * Names the client behind a connection: by its token, if it has brought one, else by its address, as
 * uWebSockets gives it. Of IPv6 it is the first 64 bits: who has one address of such a network has all of
 * them.
 */
export function clientOf({ token }: Grant, address: ArrayBuffer): string {
  return token ? `token ${token.sha256}` : addressName(address);
}

function addressName(address: ArrayBuffer): string {
  const bytes = Buffer.from(address);
  const hex = bytes.toString('hex');
  if (bytes.length < IPV6_BYTES) return hex;
  if (hex.startsWith(MAPPED_PREFIX)) return hex.slice(MAPPED_PREFIX.length);
  return bytes.toString('hex', 0, IPV6_NETWORK_BYTES);
}
