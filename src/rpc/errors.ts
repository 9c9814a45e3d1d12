import { ERROR_CODES, isErrorCode, type ErrorCode } from './codes.js';
import { toUnicode } from './unicode.js';

/** The error member of a MessagePack-RPC response. */
export interface WireError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  details?: unknown;
}

/** Every failure that a caller of Warmswap sees, in the daemon and in the client alike. */
export class WarmswapError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: unknown;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryable?: boolean; details?: unknown; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WarmswapError';
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.details = options.details;
  }
}

/** The given error as a WarmswapError; what carries no code of the contract becomes INTERNAL. */
export function toWarmswapError(error: unknown): WarmswapError {
  if (error instanceof WarmswapError) return error;
  if (!(error instanceof Error)) return new WarmswapError('INTERNAL', String(error));
  const code = 'code' in error && isErrorCode(error.code) ? error.code : 'INTERNAL';
  const details = 'details' in error ? error.details : undefined;
  return new WarmswapError(code, error.message, { cause: error, details });
}

export function toWireError(error: unknown): WireError {
  const { code, message: text, retryable, details } = toWarmswapError(error);
  const message = toUnicode(text); // what a message quotes may end within a pair
  return details === undefined
    ? { code, message, retryable }
    : { code, message, retryable, details };
}

/** Reads the error member of a response, also one of a server that is not Warmswap. */
export function fromWireError(wire: unknown): WarmswapError {
  if (typeof wire !== 'object' || wire === null) {
    return new WarmswapError('INTERNAL', String(wire));
  }
  const { code, message, retryable, details } = wire as Partial<WireError>;
  return new WarmswapError(
    isErrorCode(code) ? code : 'INTERNAL',
    typeof message === 'string' ? message : JSON.stringify(wire, bigintAsText),
    { ...(typeof retryable === 'boolean' ? { retryable } : {}), details },
  );
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
