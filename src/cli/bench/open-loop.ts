import type { Endpoint } from '../../client/endpoint.js';
import { Arrivals } from './arrivals.js';
import { Drain, startTimer, type Load, type LoadEnd, type LoadSettings } from './load.js';
import { Metronome } from './metronome.js';

/** So that the thread of the metronome is there when the first request is due. */
const HEAD_START_MS = 5;

/**
 * Requests at a fixed rate, whatever the answers take. The time of a request counts from when it was
 * due: one that had to wait because the daemon, or this client, was late, is as late as its user
 * would have seen it.
 */
export class OpenLoop implements Load {
  readonly #drain = new Drain();
  #arrivals: Arrivals | undefined;
  #unsent = 0;

  constructor(
    private readonly settings: LoadSettings,
    private readonly ratePerSecond: number,
  ) {}

  async run(): Promise<LoadEnd> {
    const { durationMs, maxCount } = this.settings;
    const metronome = await Metronome.create();
    const startAt = performance.now() + HEAD_START_MS;
    this.#arrivals = new Arrivals(startAt, this.ratePerSecond, startAt + durationMs, maxCount);
    const timer = startTimer(HEAD_START_MS + durationMs, () => this.#onTime());
    metronome.start(startAt, 1000 / this.ratePerSecond, () => this.#sendDue());
    await this.#drain.done();
    const elapsedMs = Math.max(0, performance.now() - startAt);
    timer.clear();
    await metronome.stop();
    return { elapsedMs, unsent: this.#unsent, unanswered: this.#drain.inFlight };
  }

  stop(): void {
    if (this.#drain.isStopped) this.#drain.giveUp();
    else this.#end();
  }

  #onTime(): void {
    this.#sendDue();
    this.#end();
  }

  /** What finds no connection with room is tried again after the next answer, and at the next tick. */
  #sendDue(): void {
    const { connections } = this.settings;
    const arrivals = this.#arrivals;
    if (!arrivals || this.#drain.isStopped) return;
    for (;;) {
      const dueAt = arrivals.nextDue(performance.now());
      const endpoint = dueAt === undefined ? undefined : connections.pick();
      if (dueAt === undefined || !endpoint) break;
      this.#send(endpoint, dueAt, arrivals.taken);
      arrivals.take();
    }
    if (arrivals.isExhausted) this.#end();
  }

  #send(endpoint: Endpoint, dueAt: number, index: number): void {
    const { frames, recording } = this.settings;
    const frame = frames[index % frames.length];
    if (!frame) return;
    this.#drain.sent();
    recording.sendDelay.record((performance.now() - dueAt) * 1e3);
    endpoint.send(frame, (reply) => {
      recording.onReply(reply, performance.now() - dueAt);
      this.#sendDue();
      this.#drain.answered();
    });
  }

  #end(): void {
    if (this.#drain.isStopped) return;
    this.#unsent = this.#arrivals?.overdue(performance.now()) ?? 0;
    this.#drain.stop();
  }
}
