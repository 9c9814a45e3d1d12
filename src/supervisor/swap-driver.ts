import type { GenerationPlan } from '../registry/plan.js';
import type { SwapStrategy } from '../config/schema.js';
import type { FromWorker, ToWorker } from '../worker/messages.js';
import {
  IDLE,
  step,
  type SwapAction,
  type SwapEvent,
  type SwapResult,
  type SwapState,
} from './swap-coordinator.js';

export interface SwapDriverOptions {
  prepareTimeoutMs(): number;
  nextAttempt(): number;
  members(): readonly number[];
  send(worker: number, message: ToWorker): void;
  replace(worker: number): void;
  /** Brings a worker to what is committed, in the place of what it serves; it joins again then. */
  rejoin(worker: number): void;
  /** The generation is committed from now on. */
  onDecided(plan: GenerationPlan): void;
}

/** Drives the swap coordinator: does its actions, and brings it what happens. */
export class SwapDriver {
  #state: SwapState = IDLE;
  #timer: NodeJS.Timeout | undefined;
  readonly #finished = new Map<number, (result: SwapResult) => void>();

  constructor(private readonly options: SwapDriverOptions) {}

  get isSwapping(): boolean {
    return this.#state.phase !== 'idle';
  }

  /** Brings all members to a generation. One at a time. */
  run(plan: GenerationPlan, strategy: SwapStrategy): Promise<SwapResult> {
    const attempt = this.options.nextAttempt();
    return new Promise((resolve) => {
      this.#finished.set(attempt, resolve);
      this.#apply({ type: 'begin', attempt, plan, strategy, workers: this.options.members() });
    });
  }

  /** Makes the swap under way, if any, give up unless its generation is decided. */
  supersede(): void {
    this.#apply({ type: 'superseded' });
  }

  onWorkerMessage(worker: number, message: FromWorker): void {
    if ('attempt' in message) this.#apply({ ...message, worker });
  }

  /** A worker became a member. */
  onWorkerJoined(worker: number): void {
    this.#apply({ type: 'workerJoined', worker });
  }

  onWorkerGone(worker: number): void {
    this.#apply({ type: 'workerGone', worker });
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #apply(event: SwapEvent): void {
    const { state, actions } = step(this.#state, event);
    this.#state = state;
    for (const action of actions) this.#perform(action);
  }

  #perform(action: SwapAction): void {
    switch (action.type) {
      case 'prepare':
        return this.options.send(action.worker, action);
      case 'commit':
      case 'abort':
        return this.options.send(action.worker, { type: action.type, attempt: action.attempt });
      case 'decide':
        return this.options.onDecided(action.plan);
      case 'startTimer':
        return this.#startTimer(action.attempt);
      case 'replace':
        return this.options.replace(action.worker);
      case 'rejoin':
        return this.options.rejoin(action.worker);
      case 'finish':
        return this.#finish(action.attempt, action.result);
    }
  }

  #startTimer(attempt: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#apply({ type: 'timedOut', attempt }),
      this.options.prepareTimeoutMs(),
    );
  }

  #finish(attempt: number, result: SwapResult): void {
    if (this.#state.phase === 'idle') clearTimeout(this.#timer);
    this.#finished.get(attempt)?.(result);
    this.#finished.delete(attempt);
  }
}
