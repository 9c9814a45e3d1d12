import { WarmswapError } from '../rpc/errors.js';
import type { ErrorCode } from '../rpc/codes.js';

/** Why a WebSocket was not opened. Browsers tell nothing but that it was not. */

/** What is thrown or told when a connection fails: an Error of Node.js has a code, and maybe several causes. */
interface Failure {
  message?: string | undefined;
  code?: unknown;
  errors?: unknown;
}

/** Those of Node.js and OpenSSL for a certificate that is not trusted. */
const CERTIFICATE_CODE =
  /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(GET|VERIFY|DECRYPT)_|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;
const NO_TLS = /wrong version number|packet length too long/;

/**
 * The error of a connection to `url` that was not opened: retryable unless it would fail in the same way
 * again. `error` is what the socket has told, if anything.
 */
export function connectError(url: string, error: unknown, message = ''): WarmswapError {
  if (error instanceof WarmswapError) return error;
  const failure = (error ?? { message }) as Failure;
  const text = textOf(failure) || message || 'the connection was not opened';
  if (CERTIFICATE_CODE.test(String(failure.code))) {
    return new WarmswapError(
      'FAILED_PRECONDITION',
      `the daemon's certificate is not trusted: ${text}; name the certificates to trust with 'ca' (--ca)`,
      { cause: error },
    );
  }
  return new WarmswapError('UNAVAILABLE', text + hint(url, text), { cause: error });
}

/** Several addresses of one name fail with one error of several, which has no text of its own. */
function textOf({ message, errors, code }: Failure): string {
  if (message) return message;
  if (Array.isArray(errors)) return errors.map((each) => (each as Error).message).join(', ');
  return typeof code === 'string' ? code : '';
}

function hint(url: string, text: string): string {
  if (url.startsWith('ws:') && text.includes('socket hang up')) {
    return ' (does it speak TLS? then the address begins with wss://)';
  }
  if (url.startsWith('wss:') && NO_TLS.test(text)) {
    return ' (does it speak TLS? if not, the address begins with ws://)';
  }
  return '';
}

const CODES: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'FAILED_PRECONDITION'],
]);

/** The error of an upgrade that was answered with `status`, and with `text` if the server has told why. */
export function refusedUpgrade(status: number, text: string | undefined): WarmswapError {
  const reason = text === undefined ? '' : `: ${text}`;
  const where =
    status === 404
      ? 'there is no RPC; is this the admin port? RPC is at /rpc of the data port: '
      : '';
  const message = `${where}the upgrade was answered with HTTP ${status}${reason}`;
  return new WarmswapError(CODES.get(status) ?? 'UNAVAILABLE', message);
}
