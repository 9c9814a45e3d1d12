import { setTimeout as sleep } from 'node:timers/promises';
import { connect, WarmswapError, type Client } from '../../src/client/index.js';

const RECONNECT_PAUSE_MS = 10;

/** One client of the fixture `shift` that uses the client library, and connects again after a failure. */
export class LibraryLoad {
  requests = 0;
  /** Requests that failed as UNAVAILABLE and retryable. */
  unavailable = 0;
  /** Any other failure. */
  readonly violations: string[] = [];
  #running = true;
  readonly #done: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly pauseMs: number,
  ) {
    this.#done = this.#drive();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #drive(): Promise<void> {
    while (this.#running) {
      const client = await connect(this.url).catch(() => undefined);
      if (client) await this.#ask(client);
      else await sleep(RECONNECT_PAUSE_MS);
    }
  }

  /** Asks until a request fails. */
  async #ask(client: Client): Promise<void> {
    try {
      for (let value = 0; this.#running; value = (value + 1) % 1000) {
        this.requests++;
        await askShift(client, value);
        await sleep(this.pauseMs);
      }
    } catch (error) {
      this.#onFailure(error);
    }
    client.destroy();
  }

  #onFailure(error: unknown): void {
    const isRetryable = error instanceof WarmswapError && error.retryable;
    if (isRetryable && error.code === 'UNAVAILABLE') this.unavailable++;
    else this.violations.push(`the client library failed with ${String(error)}`);
  }
}

async function askShift(client: Client, value: number): Promise<void> {
  const data = Float32Array.of(value, 0, 0, 0);
  const { version, outputs } = await client.infer({
    model: 'shift',
    inputs: { x: { shape: [1, 4], data } },
  });
  const answer = outputs.y?.data[0];
  if (answer !== value + version) throw new Error(`${value} → ${String(answer)} of ${version}`);
}
