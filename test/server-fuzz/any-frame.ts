import { decode } from '@msgpack/msgpack';
import type { Frame } from './frames.js';

const MSGIDS = 2 ** 32;

/** Bytes that may be anything: a request that another library reads as one is answered, or closes the connection. */
export function anyFrame(bytes: Uint8Array): Frame {
  const msgid = msgidOf(bytes);
  return { bytes, mayEnd: true, ...(msgid === undefined ? { isUncertain: true } : { msgid }) };
}

function msgidOf(bytes: Uint8Array): number | undefined {
  const message = decoded(bytes);
  if (!Array.isArray(message) || message.length !== 4 || message[0] !== 0) return undefined;
  const [, msgid, method, params] = message as unknown[];
  const number = typeof msgid === 'bigint' ? Number(msgid) : msgid;
  const isMsgid =
    Number.isInteger(number) && (number as number) >= 0 && (number as number) < MSGIDS;
  const isRequest = isMsgid && typeof method === 'string' && Array.isArray(params);
  return isRequest ? (number as number) : undefined;
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { useBigInt64: true });
  } catch {
    return undefined;
  }
}
