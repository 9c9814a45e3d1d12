import { setImmediate } from 'node:timers/promises';
import type { Client } from '../../src/client/index.js';

/** Calls of the fixture `shift` over the client library, several at a time, until it is stopped. */
export class ClientLoad {
  readonly errors: unknown[] = [];
  answers = 0;
  /** The version that answered last. */
  version = 0;
  #running = true;
  readonly #done: Promise<unknown>;

  constructor(
    private readonly client: Client,
    parallel: number,
  ) {
    this.#done = Promise.all(Array.from({ length: parallel }, () => this.#drive()));
  }

  /** Resolves when all calls have ended. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #drive(): Promise<void> {
    for (let value = 0; this.#running; value = (value + 1) % 1_000) {
      try {
        await this.#ask(value);
      } catch (error) {
        this.errors.push(error);
      }
      await setImmediate();
    }
  }

  async #ask(value: number): Promise<void> {
    const x = { shape: [1, 4], data: Float32Array.of(value, 0, 0, 0) };
    const { outputs, version } = await this.client.infer({ model: 'shift', inputs: { x } });
    this.version = version;
    this.answers++;
    const [first] = outputs.y?.data as Float32Array;
    if (first !== value + version) this.errors.push(`${value} → ${first} by version ${version}`);
  }
}
