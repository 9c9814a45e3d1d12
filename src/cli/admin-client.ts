import { request, type IncomingMessage } from 'node:http';
import { TOKEN_VARIABLE } from '../config/load.js';
import { isErrorCode } from '../rpc/codes.js';
import { WarmswapError } from '../rpc/errors.js';

/**
 * Calls the admin interface, with the token of the environment if there is one; rejects with its
 * error, or with UNAVAILABLE if nobody answers. Waits as long as the daemon takes: a reload may load
 * gigabytes.
 */
export class AdminClient {
  constructor(
    private readonly url: string,
    private readonly token: string | undefined = process.env[TOKEN_VARIABLE],
  ) {}

  get(path: string): Promise<unknown> {
    return this.#call('GET', path);
  }

  post(path: string, body: unknown = {}): Promise<unknown> {
    return this.#call('POST', path, JSON.stringify(body));
  }

  put(path: string, body: unknown): Promise<unknown> {
    return this.#call('PUT', path, JSON.stringify(body));
  }

  delete(path: string): Promise<unknown> {
    return this.#call('DELETE', path);
  }

  /** Reads an answer that comes piece by piece; resolves at its end. */
  async stream(path: string, onPiece: (text: string) => void): Promise<void> {
    const response = await this.#request('GET', path);
    if (response.statusCode !== 200) throw answerError(this.url, await this.#collect(response));
    response.setEncoding('utf8');
    for await (const piece of this.#pieces<string>(response)) onPiece(piece);
  }

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const answer = await this.#collect(await this.#request(method, path, body));
    const value = parseJson(answer.text);
    if (answer.status === 200 && value !== undefined) return value;
    throw answerError(this.url, answer);
  }

  async #collect(response: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#pieces<Buffer>(response)) chunks.push(chunk);
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
  }

  /** Throws UNAVAILABLE if the connection breaks before the end. */
  async *#pieces<Piece>(response: IncomingMessage): AsyncGenerator<Piece, void, void> {
    try {
      yield* response as AsyncIterable<Piece>;
    } catch (error) {
      const text = `the connection to ${this.url} broke: ${(error as Error).message}`;
      throw new WarmswapError('UNAVAILABLE', text, { cause: error });
    }
  }

  #authorization(): Record<string, string> {
    return this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
  }

  #request(method: string, path: string, body?: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', ...this.#authorization() };
      const call = request(new URL(path, this.url), { method, headers }, resolve);
      call.on('error', (error) => reject(noAnswer(this.url, error)));
      call.end(body);
    });
  }
}

interface Answer {
  status: number;
  text: string;
}

function noAnswer(url: string, error: NodeJS.ErrnoException): WarmswapError {
  const reason = error.message || (error.code ?? 'no connection');
  return new WarmswapError(
    'UNAVAILABLE',
    `no daemon answers at ${url} (${reason}): start it, or give --admin`,
    { cause: error },
  );
}

function answerError(url: string, { status, text }: Answer): WarmswapError {
  const { error, code } = (parseJson(text) ?? {}) as { error?: unknown; code?: unknown };
  if (typeof error !== 'string') {
    return new WarmswapError(
      'INTERNAL',
      `${url} answered HTTP ${status}, as no admin interface does`,
    );
  }
  // Of the two ports, only this one names codes.
  if (!isErrorCode(code)) {
    const where = `${url} is the data port: give the address of the admin interface`;
    return new WarmswapError('FAILED_PRECONDITION', `${where} as --admin (it answered: ${error})`);
  }
  const hint = code === 'UNAUTHENTICATED' ? `; set ${TOKEN_VARIABLE} to the token` : '';
  return new WarmswapError(code, error + hint);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
