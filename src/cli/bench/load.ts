import type { RequestFrame } from '../../client/request-frame.js';
import { Timer } from '../../client/timer.js';
import type { Connections } from './connections.js';
import type { Recording } from './recording.js';

/** What every load has: where it sends what, and when it ends. */

export interface LoadSettings {
  readonly connections: Connections;
  /** Sent in turn. */
  readonly frames: readonly RequestFrame[];
  readonly recording: Recording;
  /** Milliseconds of sending. */
  readonly durationMs: number;
  /** Requests; Infinity: no bound. */
  readonly maxCount: number;
}

export interface LoadEnd {
  /** Milliseconds from the first request until the last answer. */
  elapsedMs: number;
  /** Requests that were due and never sent, as every connection was full. */
  unsent: number;
  /** Requests whose answers have not come in time after the last one was sent. */
  unanswered: number;
}

/** How long the last answers may take. */
export const DRAIN_MS = 10_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Counts what is in flight, from the start of a load until its last answer or until it is given up. */
export class Drain {
  #inFlight = 0;
  #isStopped = false;
  readonly #timer = new Timer();
  #resolve: (() => void) | undefined;
  readonly #done = new Promise<void>((resolve) => (this.#resolve = resolve));

  get inFlight(): number {
    return this.#inFlight;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  sent(): void {
    this.#inFlight++;
  }

  answered(): void {
    this.#inFlight--;
    this.#endIfDone();
  }

  /** Nothing more is sent. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer.set(DRAIN_MS, () => this.giveUp());
    this.#endIfDone();
  }

  /** Waits no longer. */
  giveUp(): void {
    this.#isStopped = true;
    this.#timer.clear();
    this.#resolve?.();
  }

  done(): Promise<void> {
    return this.#done;
  }

  #endIfDone(): void {
    if (this.#isStopped && this.#inFlight === 0) this.giveUp();
  }
}

/** Calls `onTime` after that many milliseconds, at most 24 days. */
export function startTimer(durationMs: number, onTime: () => void): Timer {
  const timer = new Timer();
  timer.set(Math.min(durationMs, LONGEST_TIMER_MS), onTime);
  return timer;
}

/** A load that runs. Its owner awaits `run`, and may end it early. */
export interface Load {
  /** Resolves when the last answer has come, or is waited for no longer. */
  run(): Promise<LoadEnd>;
  /** Sends no more. Called again: waits no longer for the answers either. */
  stop(): void;
}
