import type { GenerationPlan, ModelPlan } from '../registry/plan.js';
import type { Logger } from '../telemetry/log.js';
import type { Checkpoint } from './checkpoint.js';
import type { CheckpointKeeper } from './checkpoint-keeper.js';
import type { Choices } from './operator-choices.js';

/** The generation that is committed, in memory and on the disk. */
export class CommittedPlan {
  #current: GenerationPlan = { generation: 0, models: [] };
  #stopped: readonly ModelPlan[] = [];
  /** Nothing is worth a checkpoint before, or after the one that says that it has stopped. */
  #isServing = false;

  constructor(
    private readonly keeper: CheckpointKeeper,
    private readonly log: Logger,
  ) {}

  get current(): GenerationPlan {
    return this.#current;
  }

  /** What operators have asked for, as far as it is followed. */
  get choices(): Choices {
    return this.#current.choices ?? {};
  }

  /** What the last daemon served, where that is not taken over; nothing once another generation is committed. */
  get stopped(): readonly ModelPlan[] {
    return this.#stopped;
  }

  /**
   * Takes over what the last daemon had committed, if it was killed and this one can serve that. Tells
   * whether it was killed, and whether that is to be served.
   */
  restore(fits: (plan: GenerationPlan) => boolean): { wasKilled: boolean; isServed: boolean } {
    const checkpoint = this.keeper.restore();
    if (!checkpoint) return { wasKilled: false, isServed: false };
    const { phase, plan } = checkpoint;
    const wasKilled = phase !== 'stopped';
    const isServed = wasKilled && fits(plan);
    this.#current = isServed ? plan : { ...plan, models: [] };
    this.#stopped = isServed ? [] : plan.models;
    const { generation } = plan;
    if (wasKilled) this.log.warn({ generation, phase }, 'coming back after a crash');
    if (wasKilled && !isServed) this.log.warn('what was served was made for another device');
    return { wasKilled, isServed };
  }

  /** Clients are served from now on: what is committed is kept on the disk. */
  open(): void {
    this.#isServing = true;
    this.settle();
  }

  /** The plan is committed from now on; it is on the disk when this returns. */
  decide(plan: GenerationPlan): void {
    this.#current = plan;
    this.#stopped = [];
    this.#save('committing');
  }

  /** All workers serve it. */
  settle(): void {
    this.#save('committed');
  }

  /** Takes over choices that ask for nothing else to be served than is already. */
  follow(choices: Choices = {}): void {
    if (JSON.stringify(choices) === JSON.stringify(this.choices)) return;
    this.#current = { ...this.#current, choices };
    this.settle();
  }

  /** No worker survives it: the next daemon follows the repository instead. */
  giveUp(): void {
    if (this.#current.generation > 0) this.keeper.save({ phase: 'stopped', plan: this.#current });
  }

  /** The daemon has ended in good order. */
  close(): void {
    this.#save('stopped');
    this.#isServing = false;
  }

  #save(phase: Checkpoint['phase']): void {
    if (this.#isServing) this.keeper.save({ phase, plan: this.#current });
  }
}
