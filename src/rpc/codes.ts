/**
 * The error codes of the contract (gRPC's names) and whether a caller may try the same request
 * again, perhaps elsewhere. The code is what callers match on; messages are for people.
 */
export const ERROR_CODES = {
  INVALID_ARGUMENT: { retryable: false },
  NOT_FOUND: { retryable: false },
  FAILED_PRECONDITION: { retryable: false },
  RESOURCE_EXHAUSTED: { retryable: true },
  DEADLINE_EXCEEDED: { retryable: false },
  CANCELLED: { retryable: false },
  UNAVAILABLE: { retryable: true },
  UNAUTHENTICATED: { retryable: false },
  PERMISSION_DENIED: { retryable: false },
  UNIMPLEMENTED: { retryable: false },
  INTERNAL: { retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}
