import type { SwapStrategy } from '../config/schema.js';
import type { GenerationPlan } from '../registry/plan.js';
import type { Logger } from '../telemetry/log.js';
import type { CommittedPlan } from './committed-plan.js';
import type { EventBus } from './event-bus.js';
import type { LiveConfig } from './live-config.js';
import { modelEvents } from './model-events.js';
import { replacesVersions, servesTheSame } from './plan-generation.js';
import { withoutReplaced, type RollbackPolicy } from './rollback.js';
import { RollbackWindows } from './rollback-windows.js';
import type { SwapResult } from './swap-coordinator.js';
import { SwapDriver } from './swap-driver.js';
import type { TurnQueue } from './turn-queue.js';
import type { WorkerPool } from './worker-pool.js';

export interface CommitterOptions {
  config: LiveConfig;
  committed: CommittedPlan;
  pool: Pick<WorkerPool, 'members' | 'isComplete' | 'send' | 'replace' | 'rejoin'>;
  /** Numbers that no other attempt has. */
  nextAttempt(): number;
  /** All commits are made in it. */
  turns: TurnQueue;
  events: EventBus;
  log: Logger;
}

/** Takes plans to all workers, tells of it, and retires the versions that only a rollback would want. */
export class Committer {
  /** To be told what workers say, and of those that come and go. */
  readonly driver: SwapDriver;
  readonly #windows: RollbackWindows;
  #isClosed = false;

  constructor(private readonly options: CommitterOptions) {
    const { config, pool } = options;
    this.driver = new SwapDriver({
      prepareTimeoutMs: () => config.current.swap.prepareTimeout,
      nextAttempt: () => options.nextAttempt(),
      members: () => pool.members,
      send: (worker, message) => pool.send(worker, message),
      replace: (worker) => pool.replace(worker),
      rejoin: (worker) => pool.rejoin(worker),
      onDecided: (plan) => this.#onDecided(plan),
    });
    this.#windows = new RollbackWindows({
      windowMs: () => config.current.swap.rollbackWindow,
      onEnd: () => void this.#retireReplaced(),
    });
  }

  /** Which versions stay loaded for a rollback alone. */
  get rollbackPolicy(): RollbackPolicy {
    const { strategy, rollbackWindow } = this.options.config.current.swap;
    if (strategy === 'unload-first') return { keepsReplaced: false, open: new Set() };
    return { keepsReplaced: rollbackWindow > 0, open: this.#windows.open };
  }

  /** Versions that an earlier daemon has kept for a rollback are kept anew. */
  onRestored(): void {
    this.#windows.onRestored(this.options.committed.current);
  }

  /** Nothing if the plan is what is served already. Commits nothing that no worker has prepared. */
  async commit(plan: GenerationPlan): Promise<SwapResult | undefined> {
    const { committed, pool } = this.options;
    const before = committed.current;
    if (servesTheSame(plan, before) && pool.isComplete) return undefined;
    if (this.#isClosed) return aborted('the daemon is shutting down');
    if (pool.members.length === 0) return aborted('no worker is up to prepare it; try again');
    const result = await this.driver.run(plan, this.#strategyOf(plan));
    if (result.outcome === 'committed') committed.settle();
    this.#publish(before, plan, result);
    return result;
  }

  /** Gives up the commit under way, unless it is decided, and makes no other one. */
  close(): void {
    this.#isClosed = true;
    this.#windows.close();
    this.driver.supersede();
    this.driver.close();
  }

  /** What goes first makes a difference only where versions go and others come. */
  #strategyOf(plan: GenerationPlan): SwapStrategy {
    const { committed, config } = this.options;
    return replacesVersions(committed.current, plan) ? config.current.swap.strategy : 'load-first';
  }

  /** On the disk before the first worker hears of it. */
  #onDecided(plan: GenerationPlan): void {
    const { committed, events } = this.options;
    const before = committed.current;
    committed.decide(plan);
    this.#windows.onCommitted(before, plan);
    const { generation } = plan;
    events.publish({ type: 'swap', state: 'prepared', generation });
  }

  /** What only a rollback would want goes once its window has ended. */
  #retireReplaced(): Promise<void> {
    const { committed, turns, log } = this.options;
    return turns.run(async () => {
      const plan = withoutReplaced(committed.current, this.#windows.open);
      if (servesTheSame(plan, committed.current)) return;
      const swap = await this.commit(plan);
      if (swap?.outcome === 'aborted') this.#windows.again();
      else log.info({ generation: plan.generation }, 'replaced versions retire');
    });
  }

  #publish(before: GenerationPlan, plan: GenerationPlan, result: SwapResult): void {
    const { events } = this.options;
    const { outcome } = result;
    const reason = outcome === 'aborted' ? { reason: result.reason } : {};
    const { generation } = plan;
    events.publish({ type: 'swap', state: outcome, generation, ...reason });
    if (outcome === 'aborted') return;
    for (const event of modelEvents(before, plan)) events.publish(event);
  }
}

function aborted(reason: string): SwapResult {
  return { outcome: 'aborted', reason, failures: [] };
}
