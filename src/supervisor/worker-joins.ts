import type { GenerationPlan, VersionFailure } from '../registry/plan.js';
import type { Logger } from '../telemetry/log.js';
import type { FromWorker } from '../worker/messages.js';
import { withoutFailed } from './join-plan.js';
import type { WorkerProcess } from './worker-process.js';

export interface WorkerJoinOptions {
  committed(): GenerationPlan;
  /** Numbers that no other attempt has. */
  nextAttempt(): number;
  /** The worker serves the committed generation, all of it or without what it cannot load. */
  onJoined(worker: WorkerProcess, isComplete: boolean): void;
  log: Logger;
}

interface Join {
  attempt: number;
  generation: number;
  /** What it cannot load. */
  without: readonly VersionFailure[];
}

/** Prepares and commits the committed generation in workers that (re)start, or have an older one. */
export class WorkerJoins {
  readonly #joins = new Map<number, Join>();

  constructor(private readonly options: WorkerJoinOptions) {}

  begin(worker: WorkerProcess, without: readonly VersionFailure[] = []): void {
    worker.state = 'joining';
    const { generation, models } = this.options.committed();
    const attempt = this.options.nextAttempt();
    this.#joins.set(worker.id, { attempt, generation, without });
    const kept = models.flatMap((model) => withoutFailed(model, without));
    const plan = { generation, models: kept, isCommitted: true as const };
    // Nothing that it serves is committed any more but what the plan has.
    worker.send({ type: 'prepare', attempt, plan, unloadsFirst: true });
  }

  /** What a worker says while it joins. */
  onMessage(worker: WorkerProcess, message: FromWorker): void {
    const join = this.#joins.get(worker.id);
    if (!join || !('attempt' in message) || message.attempt !== join.attempt) return;
    if (message.type === 'prepared') {
      worker.send({ type: 'commit', attempt: join.attempt });
    } else if (message.type === 'prepareFailed') {
      this.#joinWithout(worker, join, message.failures);
    } else {
      this.#onCommitted(worker, join);
    }
  }

  forget(worker: number): void {
    this.#joins.delete(worker);
  }

  /** What a worker cannot load any more, because its files are gone, must not keep it from the rest. */
  #joinWithout(worker: WorkerProcess, join: Join, failures: readonly VersionFailure[]): void {
    this.options.log.error(
      { worker: worker.id, failures },
      'worker joins without what it cannot load',
    );
    if (failures.length === 0) worker.kill('could not join, without a reason');
    else this.begin(worker, [...join.without, ...failures]);
  }

  /** Joins again if the committed generation has moved on meanwhile. */
  #onCommitted(worker: WorkerProcess, { generation, without }: Join): void {
    if (generation < this.options.committed().generation) this.begin(worker);
    else this.options.onJoined(worker, without.length === 0);
  }
}
