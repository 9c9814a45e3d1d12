import { shiftBody } from './inference-http.js';
import { RawHttp, requestBytes, type RawResponse } from './raw-http.js';

const REQUEST = requestBytes('POST', '/v2/models/shift/infer', shiftBody());

/**
 * Clients of the fixture `shift` over HTTP, each on one connection that it keeps until an answer says that
 * it is closed; they ask as fast as they are answered.
 */
export class HttpLoad {
  /** By client. */
  readonly answers: number[];
  /** Requests that were not answered, or otherwise than they should. */
  readonly failures: string[] = [];
  /** Connections that ended with an answer. */
  closed = 0;
  #running = true;
  readonly #done: Promise<unknown>;

  constructor(
    private readonly url: string,
    clients: number,
  ) {
    this.answers = Array.from({ length: clients }, () => 0);
    this.#done = Promise.all(this.answers.map((_, client) => this.#drive(client)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #drive(client: number): Promise<void> {
    while (this.#running) {
      try {
        const http = await RawHttp.connect(this.url);
        await this.#ask(http, client);
      } catch (error) {
        this.failures.push((error as Error).message);
      }
    }
  }

  /** Asks until an answer says that the connection is closed. */
  async #ask(http: RawHttp, client: number): Promise<void> {
    while (this.#running) {
      http.write(REQUEST);
      const answer = await http.next();
      this.#check(answer);
      this.answers[client] = (this.answers[client] ?? 0) + 1;
      if (answer.headers.get('connection') !== 'close') continue;
      this.closed++;
      await http.closed;
      return;
    }
    http.destroy();
  }

  #check({ status, body }: RawResponse): void {
    if (status !== 200) this.failures.push(`${status} ${body.toString()}`);
  }
}
