import { randomUUID } from 'node:crypto';
import { accessSync, closeSync, constants, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import uWS, { type TemplatedApp } from 'uWebSockets.js';
import type { TlsSettings } from '../access/settings.js';
import { WarmswapError } from '../rpc/errors.js';

/**
 * uWebSockets has no setting for it, but for the ciphers of TLS 1.2. These need a shared secret that there
 * is none of, so that 1.2 is never agreed on.
 */
const NO_TLS_1_2 = 'ECDHE-PSK-CHACHA20-POLY1305';

/** An app that speaks TLS of at least 1.2. Throws FAILED_PRECONDITION if uWebSockets refuses the certificate. */
export function createTlsApp({ cert, key, minVersion }: TlsSettings): TemplatedApp {
  return withFile(cert, (certFile) =>
    withFile(key, (keyFile) => {
      const ciphers = minVersion === 'TLSv1.3' ? { ssl_ciphers: NO_TLS_1_2 } : {};
      try {
        return uWS.SSLApp({ cert_file_name: certFile, key_file_name: keyFile, ...ciphers });
      } catch (error) {
        const { message } = error as Error;
        const reason = `uWebSockets cannot use certificate and key: ${message}`;
        throw new WarmswapError('FAILED_PRECONDITION', reason, { cause: error });
      }
    }),
  );
}

/** uWebSockets takes files alone: this one is in memory where that is possible, and has no name. */
function withFile<T>(text: string, use: (path: string) => T): T {
  const path = join(memoryFolder(), `warmswap-${randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    writeFileSync(file, text);
    return use(`/proc/self/fd/${file}`);
  } finally {
    closeSync(file);
  }
}

function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
