import type { DaemonConfig } from '../../config/schema.js';
import { readCertificate } from '../../supervisor/certificate.js';
import { fail, ok, warn, type Check } from './check.js';

/** The certificate of the data port, if it has one. */

const NAME = 'certificate';
const SOON_MS = 14 * 24 * 3600 * 1000;

export function checkCertificate(tls: DaemonConfig['listen']['tls'], now = Date.now()): Check[] {
  if (!tls) return [];
  try {
    const { subject, validTo } = readCertificate(tls);
    return [judge(subject, validTo, now)];
  } catch (error) {
    const remedy = 'let listen.tls name a certificate in PEM, and the key that belongs to it';
    return [fail(NAME, (error as Error).message, remedy)];
  }
}

function judge(subject: string, validTo: Date, now: number): Check {
  const leftMs = validTo.getTime() - now;
  const day = validTo.toISOString().slice(0, 10);
  const details = { subject, validTo: validTo.toISOString() };
  const remedy = 'put a new one in its place, then reload';
  if (leftMs <= 0) return warn(NAME, `${subject}, expired on ${day}`, remedy, details);
  if (leftMs <= SOON_MS) return warn(NAME, `${subject}, expires on ${day}`, remedy, details);
  return ok(NAME, `${subject}, until ${day}`, details);
}
