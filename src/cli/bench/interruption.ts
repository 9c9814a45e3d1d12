import type { Load } from './load.js';

/**
 * SIGINT, from when this is made: the first one stops the load, and those that come after it; another
 * one gives up its last answers. Its owner calls `end`.
 */
export class Interruption {
  #load: Load | undefined;
  #isInterrupted = false;
  readonly #onSignal = (): void => {
    if (!this.#isInterrupted) {
      console.error('warmswap: waiting for the last answers; Ctrl-C again gives them up');
    }
    this.#isInterrupted = true;
    this.#load?.stop();
  };

  constructor() {
    process.on('SIGINT', this.#onSignal);
  }

  stops(load: Load): void {
    this.#load = load;
    if (this.#isInterrupted) load.stop();
  }

  end(): void {
    process.off('SIGINT', this.#onSignal);
  }
}
