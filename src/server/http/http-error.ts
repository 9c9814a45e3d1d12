import { ERROR_CODES, type ErrorCode } from '../../rpc/codes.js';
import { toWarmswapError, WarmswapError } from '../../rpc/errors.js';

/** What HTTP itself refuses, with a status that no code of the contract has. */
export class HttpError extends WarmswapError {
  constructor(
    readonly status: keyof typeof STATUS_LINES,
    message: string,
    readonly headers: readonly (readonly [string, string])[] = [],
  ) {
    super(status === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT', message);
    this.name = 'HttpError';
  }
}

export const STATUS_LINES = {
  200: '200 OK',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  408: '408 Request Timeout',
  413: '413 Content Too Large',
  426: '426 Upgrade Required',
  429: '429 Too Many Requests',
  499: '499 Client Closed Request',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
  504: '504 Gateway Timeout',
} as const satisfies Readonly<Record<number, string>> &
  Readonly<Record<(typeof ERROR_CODES)[ErrorCode]['httpStatus'], string>>;

export type HttpStatus = keyof typeof STATUS_LINES;

/** One answer; its body is JSON unless the headers say otherwise. */
export interface Reply {
  status: HttpStatus;
  /** Pieces leave behind one another. */
  body: string | Uint8Array | readonly Uint8Array[];
  headers?: readonly (readonly [string, string])[];
  /** The connection is closed after it. */
  isLast?: boolean;
}

export function jsonReply(value: unknown, status: HttpStatus = 200): Reply {
  return { status, body: JSON.stringify(value) };
}

const CHALLENGE = [['WWW-Authenticate', 'Bearer']] as const;

/** `{"error": "…"}` with the status of its code; 500 for what has none. */
export function errorReply(thrown: unknown): Reply {
  const error = toWarmswapError(thrown);
  const body = JSON.stringify({ error: error.message });
  if (error instanceof HttpError) {
    const { status, headers } = error;
    return { status, body, headers, isLast: status === 408 };
  }
  const headers = error.code === 'UNAUTHENTICATED' ? CHALLENGE : retryAfter(error);
  return { status: ERROR_CODES[error.code].httpStatus, body, headers };
}

/** In whole seconds, as HTTP has it. */
function retryAfter({ details }: WarmswapError): readonly (readonly [string, string])[] {
  const { retryAfterMs } = (details ?? {}) as { retryAfterMs?: unknown };
  if (typeof retryAfterMs !== 'number') return [];
  return [['Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000)))]];
}
