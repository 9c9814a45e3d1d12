import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Client } from '../../src/client/index.js';

/** A client of the fixture `shift` that uses the client library as it comes: no request of it may fail. */
export class LibraryLoad {
  requests = 0;
  readonly failures: string[] = [];
  #running = true;
  readonly #done: Promise<void>;

  private constructor(
    private readonly client: Client,
    private readonly pauseMs: number,
  ) {
    this.#done = this.#drive();
  }

  static async start(url: string, pauseMs: number): Promise<LibraryLoad> {
    return new LibraryLoad(await connect(url), pauseMs);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.client.close();
  }

  async #drive(): Promise<void> {
    for (let value = 0; this.#running; value = (value + 1) % 1000) {
      this.requests++;
      await this.#ask(value).catch((error: unknown) => this.failures.push(String(error)));
      await sleep(this.pauseMs);
    }
  }

  async #ask(value: number): Promise<void> {
    const x = { shape: [1, 4], data: Float32Array.of(value, 0, 0, 0) };
    const { version, outputs } = await this.client.infer({ model: 'shift', inputs: { x } });
    const answer = outputs.y?.data[0];
    if (answer !== value + version) throw new Error(`${value} → ${String(answer)} of ${version}`);
  }
}
