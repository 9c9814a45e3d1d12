import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Certificates of the tests, for localhost and 127.0.0.1; see test/fixtures/tls. */

const folder = join(import.meta.dirname, '..', 'fixtures', 'tls');

export function certificatePath(name: string): string {
  return join(folder, `${name}.cert.pem`);
}

export function keyPath(name: string): string {
  return join(folder, `${name}.key.pem`);
}

/** What a client has to trust, so that it takes any of them. */
export const TRUSTED = ['first', 'second'].map((name) =>
  readFileSync(certificatePath(name), 'utf8'),
);

/** Puts a pair where a daemon's configuration names it. */
export async function installPair(target: string, cert: string, key = cert): Promise<void> {
  await copyFile(certificatePath(cert), join(target, 'cert.pem'));
  await copyFile(keyPath(key), join(target, 'key.pem'));
}
