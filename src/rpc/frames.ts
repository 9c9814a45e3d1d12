import { Packr, Unpackr, type Options } from 'msgpackr';
import { toWireError } from './errors.js';
import { packInPieces } from './pack-in-pieces.js';
import { checkStructure, FrameError } from './structure.js';

/** MessagePack-RPC, one message a frame. */
export type Message =
  | { kind: 'request'; msgid: number; method: string; params: readonly unknown[] }
  /** A request with a text that would not be as it was sent: it must not be used. */
  | { kind: 'unreadable'; msgid: number; problem: string }
  | { kind: 'response'; msgid: number; error: unknown; result: unknown }
  | { kind: 'notification'; method: string; params: readonly unknown[] };

const REQUEST = 0;
const RESPONSE = 1;
const NOTIFICATION = 2;
const MAX_MSGID = 0xffff_ffff;

// Plain MessagePack: no records, no extension for undefined, and 64-bit integers that a number cannot hold become bigints.
// (msgpackr's types misspell the values of int64AsType.)
const OPTIONS: Options = {
  useRecords: false,
  mapsAsObjects: true,
  encodeUndefinedAsNil: true,
  int64AsType: 'auto' as unknown as NonNullable<Options['int64AsType']>,
};
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

export function encodeRequest(msgid: number, method: string, params: unknown): Uint8Array {
  return packr.pack([REQUEST, msgid, method, [params]]);
}

/** In pieces that belong behind one another, where it is big; they may be views on the result. */
export function encodeResult(msgid: number, result: unknown): Uint8Array | Uint8Array[] {
  return packInPieces(packr, [RESPONSE, msgid, null, result]);
}

export function encodeError(msgid: number, error: unknown): Uint8Array {
  return packr.pack([RESPONSE, msgid, toWireError(error), null]);
}

export function encodeNotification(method: string, params: unknown): Uint8Array {
  return packr.pack([NOTIFICATION, method, [params]]);
}

/**
 * Reads one frame. Binary values in the result are views on `bytes`: copy what must outlive it.
 * Throws a FrameError for what is no MessagePack (1007) or no MessagePack-RPC (1002).
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const wrongText = checkStructure(bytes);
  const message = decodeParts(unpackr.unpack(bytes));
  if (wrongText === undefined || message.kind !== 'request') return message;
  const problem = `expected texts in UTF-8, the one at byte ${wrongText.at} ${wrongText.problem}`;
  return { kind: 'unreadable', msgid: message.msgid, problem };
}

function decodeParts(value: unknown): Message {
  if (!Array.isArray(value)) throw notRpc('the frame is no array');
  const parts = value as readonly unknown[];
  if (parts[0] === REQUEST && parts.length === 4) return decodeRequest(parts);
  if (parts[0] === RESPONSE && parts.length === 4) return decodeResponse(parts);
  if (parts[0] === NOTIFICATION && parts.length === 3) return decodeNotification(parts);
  throw notRpc(
    'expected [0, msgid, method, [params]], [1, msgid, error, result] or [2, method, [params]]',
  );
}

function decodeRequest([, msgid, method, params]: readonly unknown[]): Message {
  return {
    kind: 'request',
    msgid: toMsgid(msgid),
    method: toMethod(method),
    params: toParams(params),
  };
}

function decodeResponse([, msgid, error, result]: readonly unknown[]): Message {
  return { kind: 'response', msgid: toMsgid(msgid), error, result };
}

function decodeNotification([, method, params]: readonly unknown[]): Message {
  return { kind: 'notification', method: toMethod(method), params: toParams(params) };
}

function toMsgid(value: unknown): number {
  const isMsgid =
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_MSGID;
  if (!isMsgid) throw notRpc('msgid must be an integer of 0 to 2^32 - 1');
  return value as number;
}

function toMethod(value: unknown): string {
  if (typeof value !== 'string') throw notRpc('the method must be a string');
  return value;
}

function toParams(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw notRpc('the params must be an array');
  return value as readonly unknown[];
}

function notRpc(message: string): FrameError {
  return new FrameError(1002, `not MessagePack-RPC: ${message}`);
}
