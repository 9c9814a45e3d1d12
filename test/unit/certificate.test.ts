import { expect, test } from 'vitest';
import { readCertificate } from '../../src/supervisor/certificate.js';
import { certificatePath, keyPath } from '../support/certificates.js';

const read = (cert: string, key: string) => readCertificate({ cert, key, minVersion: 'TLSv1.2' });

test('a certificate and its key are read, with what they are for', () => {
  const { settings, subject, validTo } = read(certificatePath('first'), keyPath('first'));
  expect(settings.cert).toContain('BEGIN CERTIFICATE');
  expect(settings.key).toContain('BEGIN PRIVATE KEY');
  expect(subject).toBe('DNS:localhost, IP Address:127.0.0.1');
  expect(validTo.getUTCFullYear()).toBe(2126);
  const expired = read(certificatePath('expired'), keyPath('first'));
  expect(expired.validTo.getTime()).toBeLessThan(Date.now());
});

test.each([
  ['/missing', keyPath('first'), 'cert: cannot be read: ENOENT'],
  [certificatePath('first'), '/missing', 'key: cannot be read: ENOENT'],
  [keyPath('first'), keyPath('first'), 'holds no certificate in PEM'],
  [certificatePath('first'), certificatePath('first'), 'holds no key in PEM'],
  [certificatePath('first'), keyPath('encrypted'), 'is encrypted'],
  [certificatePath('first'), keyPath('second'), 'is not the key of the certificate'],
])('%s with %s is refused: %s', (cert, key, problem) => {
  expect(() => read(cert, key)).toThrow(problem);
});
