import type { Endpoint } from '../../client/endpoint.js';
import type { Taker } from '../../client/pool.js';
import { Drain, startTimer, type Load, type LoadEnd, type LoadSettings } from './load.js';

/** So many requests at a time: each answer is followed by the next request. */
export class ClosedLoop implements Load {
  readonly #drain = new Drain();
  /** Those that have no connection with room. */
  readonly #waiting = new Set<Taker>();
  #begun = 0;

  constructor(
    private readonly settings: LoadSettings,
    private readonly concurrency: number,
  ) {}

  async run(): Promise<LoadEnd> {
    const startAt = performance.now();
    const timer = startTimer(this.settings.durationMs, () => this.#end());
    for (let i = 0; i < this.concurrency; i++) this.#next();
    await this.#drain.done();
    timer.clear();
    const elapsedMs = performance.now() - startAt;
    return { elapsedMs, unsent: 0, unanswered: this.#drain.inFlight };
  }

  stop(): void {
    if (this.#drain.isStopped) this.#drain.giveUp();
    else this.#end();
  }

  #next(): void {
    if (this.#drain.isStopped) return;
    if (this.#begun >= this.settings.maxCount) {
      this.#end();
      return;
    }
    this.#begun++;
    const endpoint = this.settings.connections.pick();
    if (endpoint) this.#send(endpoint);
    else this.#wait();
  }

  #wait(): void {
    const taker = (endpoint: Endpoint): void => {
      this.#waiting.delete(taker);
      this.#send(endpoint);
    };
    this.#waiting.add(taker);
    this.settings.connections.wait(taker);
  }

  #send(endpoint: Endpoint): void {
    const { frames, recording } = this.settings;
    const frame = frames[this.#begun % frames.length];
    if (!frame) return;
    this.#drain.sent();
    const sentAt = performance.now();
    endpoint.send(frame, (reply) => {
      recording.onReply(reply, performance.now() - sentAt);
      this.#next();
      this.#drain.answered();
    });
  }

  #end(): void {
    for (const taker of this.#waiting) this.settings.connections.stopWaiting(taker);
    this.#waiting.clear();
    this.#drain.stop();
  }
}
