import type { Random } from '../support/random.js';
import { BINARY, CONTINUATION, maskedFrame, PING, TEXT } from '../support/raw-websocket.js';

/** One message as it goes over a WebSocket. */
export interface Wire {
  bytes: Uint8Array;
  /** It may break the WebSocket's own rules, for which the connection is dropped without a code. */
  isBroken: boolean;
}

const FRAGMENTED_ONE_IN = 10;

/** As one binary frame, or in fragments, with or without a ping between them. */
export function framed(payload: Uint8Array, random: Random): Buffer {
  return random.once(FRAGMENTED_ONE_IN) ? inFragments(payload, random) : maskedFrame(payload);
}

function inFragments(payload: Uint8Array, random: Random): Buffer {
  const cut = random.below(payload.length + 1);
  return Buffer.concat([
    maskedFrame(payload.subarray(0, cut), BINARY, false),
    ...(random.once(2) ? [maskedFrame(random.bytes(random.below(126)), PING)] : []),
    ...(random.once(3) ? [maskedFrame(new Uint8Array(), CONTINUATION, false)] : []),
    maskedFrame(payload.subarray(cut), CONTINUATION),
  ]);
}

/** What is no binary message. */
export function misframed(payload: Uint8Array, random: Random): Wire {
  const whole = maskedFrame(payload);
  switch (random.below(5)) {
    case 0:
      return { bytes: maskedFrame(Buffer.from('text'), TEXT), isBroken: false };
    case 1:
      return {
        bytes: Buffer.from(whole.map((byte, i) => (i < 2 ? random.below(256) : byte))),
        isBroken: true,
      };
    case 2: // a length of 2^63 - 1
      return {
        bytes: Uint8Array.of(0x82, 0xff, 0x7f, ...Array<number>(7).fill(255)),
        isBroken: true,
      };
    case 3:
      return { bytes: maskedFrame(payload, CONTINUATION), isBroken: true };
    default:
      return {
        bytes: maskedFrame(random.bytes(1 + random.below(200)), random.below(16)),
        isBroken: true,
      };
  }
}
