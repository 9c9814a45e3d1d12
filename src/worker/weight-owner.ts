import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../native/engine.js';
import type { Logger } from '../telemetry/log.js';
import type { FromWeightOwner, ToWeightOwner } from './weight-owner-messages.js';

type Start = Extract<ToWeightOwner, { type: 'start' }>;

const POLL_MS = 100;
/** Beyond the workers' own time to drain. */
const GRACE_MS = 5_000;

export interface WeightOwnerOptions {
  openEngine(ortLibrary: string | undefined): Pick<Engine, 'shareWeights' | 'freeWeights'>;
  send(message: FromWeightOwner): void;
  log: Logger;
  graceMs?: number;
}

/** Holds the weights that the workers on one GPU share, as the supervisor says. */
export class WeightOwner {
  #engine: ReturnType<WeightOwnerOptions['openEngine']> | undefined;
  #start: Start | undefined;
  #holders: readonly number[] = [];

  constructor(private readonly options: WeightOwnerOptions) {}

  /** Rejects where it is of no use at all. */
  async handle(message: ToWeightOwner): Promise<void> {
    switch (message.type) {
      case 'start':
        this.#start = message;
        this.#engine = this.options.openEngine(message.ortLibrary);
        return;
      case 'load':
        return this.#load(message.modelPath);
      case 'free':
        return this.#free(message);
      case 'holders':
        this.#holders = message.pids;
    }
  }

  /**
   * Resolves when the workers have ended that may have something open, which finish what they hold when
   * there is no supervisor any more; or when they have had their time.
   */
  async outliveHolders(): Promise<void> {
    const { graceMs = GRACE_MS } = this.options;
    const ends = performance.now() + (this.#start?.drainTimeoutMs ?? 0) + graceMs;
    while (this.#holders.some(isRunning) && performance.now() < ends) await sleep(POLL_MS);
  }

  async #load(modelPath: string): Promise<void> {
    try {
      if (!this.#engine || !this.#start) throw new Error('it has not been started');
      const slab = await this.#engine.shareWeights(modelPath, this.#start.gpu);
      this.options.send({ type: 'loaded', modelPath, slab });
    } catch (error) {
      this.options.send({ type: 'failed', modelPath, reason: (error as Error).message });
    }
  }

  /** One that cannot be freed is no reason to take the others away. */
  async #free({ slab }: Extract<ToWeightOwner, { type: 'free' }>): Promise<void> {
    try {
      await this.#engine?.freeWeights(slab);
    } catch (error) {
      const reason = (error as Error).message;
      this.options.log.error({ reason }, 'shared weights are not freed');
    }
  }
}

/** One that nobody has asked how it ended is not. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
