import { decode } from '@msgpack/msgpack';
import { ERROR_CODES, isErrorCode } from '../../src/rpc/codes.js';
import type { Frame } from './frames.js';

/** What a request may be answered with; INTERNAL and UNAVAILABLE would be the server's fault. */
const CODES = new Set([
  ...['INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED'],
  ...['DEADLINE_EXCEEDED', 'CANCELLED', 'FAILED_PRECONDITION'],
]);
const ERROR_KEYS = new Set(['code', 'message', 'retryable', 'details']);
/** So many requests of a connection are in flight at most; what comes then may be refused. */
const MOST_INFLIGHT = 256;

/** The answers that frames must still get; its methods give what is wrong. */
export class Expectations {
  readonly #asked = new Map<number, Frame>();
  readonly #mayBeFull: boolean;
  #uncertain: number;

  /** `uncertain`: so many answers to anything may come. */
  constructor(frames: readonly Frame[], uncertain = 0) {
    this.#uncertain = uncertain;
    for (const frame of frames) {
      const { msgid } = frame;
      if (msgid !== undefined && !this.#asked.has(msgid)) this.#asked.set(msgid, frame);
      else if (msgid !== undefined || frame.isUncertain) this.#uncertain++;
    }
    this.#mayBeFull = this.#asked.size > MOST_INFLIGHT;
  }

  /** Every request that surely is one has its answer. */
  get areMet(): boolean {
    return this.#asked.size === 0;
  }

  get missing(): number {
    return this.#asked.size;
  }

  /** Takes a message of the server; `count` is told the code of an answer, OK if it is none. */
  take(payload: Uint8Array, count: (code: string) => void): string | undefined {
    const message = decoded(payload);
    if (typeof message === 'string') return message;
    if (message[0] === 2) return message[1] === 'event' ? undefined : 'a notification of no kind';
    if (message[0] !== 1 || message.length !== 4) return 'a message that is no response';
    const [, msgid, error, result] = message;
    const code = codeOf(error, result);
    if (code === undefined) return `answered with ${inspected(message)}`;
    count(code);
    return this.#answered(Number(msgid), code, result);
  }

  #answered(msgid: number, code: string, result: unknown): string | undefined {
    const frame = this.#asked.get(msgid);
    if (!this.#asked.delete(msgid)) {
      if (this.#uncertain-- > 0) return undefined;
      return `an answer to ${msgid}, to which there was one, or which nobody asked`;
    }
    if (!frame?.isRight) return undefined;
    if (code === 'RESOURCE_EXHAUSTED' && this.#mayBeFull) return undefined;
    if (code === 'CANCELLED' && frame.mayBeCancelled) return undefined;
    if (code === 'OK' && frame.isRight(result)) return undefined;
    return `a right request was answered with ${code}: ${inspected(result)}`;
  }
}

function decoded(payload: Uint8Array): unknown[] | string {
  try {
    const message = decode(payload, { useBigInt64: true });
    return Array.isArray(message) ? message : `an answer ${inspected(message)}`;
  } catch (error) {
    return `an answer that is no MessagePack: ${String(error)}`;
  }
}

/** Nothing if the error has not the shape, or none of the codes, of the contract. */
function codeOf(error: unknown, result: unknown): string | undefined {
  if (error === null) return 'OK';
  if (typeof error !== 'object' || result !== null) return undefined;
  const { code, message, retryable } = error as Record<string, unknown>;
  const isCoded = isErrorCode(code) && CODES.has(code) && retryable === ERROR_CODES[code].retryable;
  const isTold = typeof message === 'string' && message !== '';
  return isCoded && isTold && Object.keys(error).every((key) => ERROR_KEYS.has(key))
    ? code
    : undefined;
}

function inspected(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? inner.toString() : inner,
  );
}
