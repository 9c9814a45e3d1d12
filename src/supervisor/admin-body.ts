import type { IncomingMessage } from 'node:http';

export const MAX_BODY_BYTES = 64 * 1024;

export class BodyTooLargeError extends Error {
  constructor() {
    super(`expected a body of at most ${MAX_BODY_BYTES} bytes, got more`);
    this.name = 'BodyTooLargeError';
  }
}

/**
 * The body as JSON; `{}` for none. Rejects with a BodyTooLargeError, after which the rest is thrown
 * away as it comes, and with a SyntaxError for what is no JSON.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES)
    throw new BodyTooLargeError();
  const text = (await readAll(request)).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as unknown);
}

/** Does not end the request when it is too long, as iterating would: it has to be answered. */
function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      request.removeAllListeners('data').resume();
      reject(new BodyTooLargeError());
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the request ended early')));
  });
}
