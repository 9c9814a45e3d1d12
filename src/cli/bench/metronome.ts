import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { FLAGS, IS_PENDING, IS_STOPPED, type Beat } from './beat.js';

/** Finer ticks cost more than they bring. */
const SHORTEST_MS = 0.1;

/**
 * Ticks to a tenth of a millisecond, which timers of the event loop, with whole milliseconds, do not,
 * and without taking a core for waiting. A thread of its own sleeps between them; ticks that come
 * while the event loop is busy become one. Its owner calls `stop`.
 */
export class Metronome {
  readonly #shared = new SharedArrayBuffer(FLAGS * Int32Array.BYTES_PER_ELEMENT);
  readonly #flags = new Int32Array(this.#shared);

  private constructor(private readonly worker: Worker) {}

  static async create(): Promise<Metronome> {
    const worker = new Worker(new URL('./metronome-worker.js', import.meta.url), { execArgv: [] });
    await once(worker, 'online');
    return new Metronome(worker);
  }

  /** Calls `onTick` at `startAt`, a time of performance.now(), and from then on every `intervalMs`. */
  start(startAt: number, intervalMs: number, onTick: () => void): void {
    const startNs =
      process.hrtime.bigint() + BigInt(Math.round((startAt - performance.now()) * 1e6));
    this.worker.on('message', () => {
      Atomics.store(this.#flags, IS_PENDING, 0);
      onTick();
    });
    const interval = Math.max(intervalMs, SHORTEST_MS);
    const beat: Beat = { startNs, intervalMs: interval, shared: this.#shared };
    this.worker.postMessage(beat);
  }

  /** No tick comes any more. */
  async stop(): Promise<void> {
    this.worker.removeAllListeners('message');
    Atomics.store(this.#flags, IS_STOPPED, 1);
    Atomics.notify(this.#flags, IS_STOPPED);
    await this.worker.terminate();
  }
}
