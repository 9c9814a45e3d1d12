import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsSettings } from '../access/settings.js';

/** Where certificate and key are, as the configuration says it. */
export interface CertificateFiles {
  cert: string;
  key: string;
  minVersion: TlsSettings['minVersion'];
}

export interface Certificate {
  settings: TlsSettings;
  subject: string;
  validTo: Date;
}

/** Reads certificate and key, and checks that they can be used together. Throws with the reason. */
export function readCertificate({ cert, key, minVersion }: CertificateFiles): Certificate {
  const settings = { cert: read('cert', cert), key: read('key', key), minVersion };
  const certificate = parseCertificate(settings.cert, cert);
  if (!certificate.checkPrivateKey(parseKey(settings.key, key))) {
    throw new Error(`key: ${key} is not the key of the certificate in ${cert}`);
  }
  try {
    createSecureContext(settings);
  } catch (error) {
    throw new Error(`${cert} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  const subject = certificate.subjectAltName ?? certificate.subject;
  return { settings, subject, validTo: new Date(certificate.validTo) };
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${name}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** The first one of the file: the server's own. */
function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Error(`cert: ${file} holds no certificate in PEM`, { cause: error });
  }
}

function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = pem.includes('ENCRYPTED');
    const what = isEncrypted ? 'is encrypted; expected one that is not' : 'holds no key in PEM';
    throw new Error(`key: ${file} ${what}`, { cause: error });
  }
}
