import { createHash } from 'node:crypto';
import { z } from 'zod';

const expected = 'expected a SHA-256 as 64 hexadecimal digits';

/** A SHA-256; the result is in lower case. */
export const digest = z
  .string({ error: expected })
  .regex(/^[0-9a-fA-F]{64}$/, expected)
  .toLowerCase();

/** The SHA-256 of a text, in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
