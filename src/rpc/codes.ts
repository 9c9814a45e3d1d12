/**
 * The error codes of the contract (gRPC's names), whether a caller may try the same request again,
 * perhaps elsewhere, and the status of an answer over HTTP. The code is what callers match on;
 * messages are for people.
 */
export const ERROR_CODES = {
  INVALID_ARGUMENT: { retryable: false, httpStatus: 400 },
  NOT_FOUND: { retryable: false, httpStatus: 404 },
  FAILED_PRECONDITION: { retryable: false, httpStatus: 400 },
  RESOURCE_EXHAUSTED: { retryable: true, httpStatus: 429 },
  DEADLINE_EXCEEDED: { retryable: false, httpStatus: 504 },
  CANCELLED: { retryable: false, httpStatus: 499 },
  UNAVAILABLE: { retryable: true, httpStatus: 503 },
  UNAUTHENTICATED: { retryable: false, httpStatus: 401 },
  PERMISSION_DENIED: { retryable: false, httpStatus: 403 },
  UNIMPLEMENTED: { retryable: false, httpStatus: 400 },
  INTERNAL: { retryable: false, httpStatus: 500 },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}
