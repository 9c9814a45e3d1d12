/** Calls the admin interface; rejects with its error message. */
export class AdminClient {
  constructor(private readonly url: string) {}

  get(path: string): Promise<unknown> {
    return this.#fetch(path, { method: 'GET' });
  }

  post(path: string, body: unknown = {}): Promise<unknown> {
    return this.#fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async #fetch(path: string, options: RequestInit): Promise<unknown> {
    const response = await this.#reach(path, options);
    const body: unknown = await response.json();
    if (response.ok) return body;
    throw new Error((body as { error?: string }).error ?? `HTTP ${response.status}`);
  }

  async #reach(path: string, options: RequestInit): Promise<Response> {
    try {
      return await fetch(new URL(path, this.url), options);
    } catch (error) {
      const { cause } = error as Error;
      const reason = cause instanceof Error ? cause.message : String(error);
      throw new Error(`no daemon answers at ${this.url} (${reason})`, { cause: error });
    }
  }
}
