import { Timer } from './timer.js';

/**
 * Notices a peer that has vanished without a word. When nothing has come for `intervalMs`, it asks for
 * a sign of life; when still nothing comes in the same time again, the peer is gone. Its owner tells
 * what it hears, and calls `start` and `end`.
 */
export class KeepAlive {
  readonly #timer = new Timer();
  #silence: 'heard' | 'quiet' | 'asked' = 'quiet';

  constructor(
    private readonly intervalMs: number,
    private readonly ask: () => void,
    private readonly onGone: () => void,
  ) {}

  start(): void {
    this.#timer.set(this.intervalMs, () => this.#onInterval());
  }

  /** Something has come from the peer. */
  heard(): void {
    this.#silence = 'heard';
  }

  end(): void {
    this.#timer.clear();
  }

  #onInterval(): void {
    if (this.#silence === 'asked') return this.onGone();
    this.start();
    if (this.#silence === 'heard') {
      this.#silence = 'quiet';
    } else {
      this.#silence = 'asked';
      this.ask();
    }
  }
}
