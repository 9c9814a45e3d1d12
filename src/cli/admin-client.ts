import { request } from 'node:http';
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

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const { status, text } = await this.#exchange(method, path, body);
    const answer = parseJson(text) as { error?: string } | undefined;
    if (status === 200 && answer !== undefined) return answer;
    throw new Error(answer?.error ?? `${this.url} answered HTTP ${status}`);
  }

  #authorization(): Record<string, string> {
    return this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
  }

  #exchange(
    method: string,
    path: string,
    body?: string,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', ...this.#authorization() };
      const call = request(new URL(path, this.url), { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      });
      call.on('error', (error) =>
        reject(new Error(`no daemon answers at ${this.url} (${error.message})`, { cause: error })),
      );
      call.end(body);
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
