import { request, type IncomingMessage } from 'node:http';
import { TOKEN_VARIABLE } from '../config/load.js';

/**
 * Calls the admin interface, with the token of the environment if there is one; rejects with its
 * error message. Waits as long as the daemon takes: a
 * reload may load gigabytes.
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
    if (response.statusCode !== 200) throw answerError(this.url, await collect(response));
    response.setEncoding('utf8');
    for await (const piece of response as AsyncIterable<string>) onPiece(piece);
  }

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const answer = await collect(await this.#request(method, path, body));
    const value = parseJson(answer.text);
    if (answer.status === 200 && value !== undefined) return value;
    throw answerError(this.url, answer);
  }

  #authorization(): Record<string, string> {
    return this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
  }

  #request(method: string, path: string, body?: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', ...this.#authorization() };
      const call = request(new URL(path, this.url), { method, headers }, resolve);
      call.on('error', (error) =>
        reject(new Error(`no daemon answers at ${this.url} (${error.message})`, { cause: error })),
      );
      call.end(body);
    });
  }
}

interface Answer {
  status: number;
  text: string;
}

async function collect(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

function answerError(url: string, { status, text }: Answer): Error {
  const answer = parseJson(text) as { error?: string } | undefined;
  return new Error(answer?.error ?? `${url} answered HTTP ${status}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
