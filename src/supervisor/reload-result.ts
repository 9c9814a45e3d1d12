import type { GenerationPlan, VersionFailure } from '../registry/plan.js';
import { modelServesTheSame, type PlanProblem } from './plan-generation.js';
import type { SwapResult } from './swap-coordinator.js';

/** What a reload or an activation did, per model that it touched. */
export interface ReloadResult {
  generation: number;
  changes: ReloadChange[];
  /** What was not followed, or is probably not what was meant, for people. */
  warnings?: string[];
}

export interface ReloadChange {
  model: string;
  /** Active version before; null where the model was not served. */
  from: number | null;
  /** The version that is active now, or that failed to become so. */
  to: number | null;
  /**
   * `ready`: loaded, and not made active. `refused`: its configuration cannot be followed.
   * `aborted`: the swap as a whole was given up.
   */
  result: 'committed' | 'ready' | 'failed' | 'refused' | 'aborted';
  reason?: string;
  /** See VersionFailure. */
  details?: unknown;
}

export interface ReloadOutcome {
  before: GenerationPlan;
  after: GenerationPlan;
  /** What was wanted last; differs from `after` if the swap was aborted. */
  wanted: GenerationPlan;
  swap: SwapResult | undefined;
  failures: readonly VersionFailure[];
  problems: readonly PlanProblem[];
}

export function toReloadResult(outcome: ReloadOutcome): ReloadResult {
  return {
    generation: outcome.after.generation,
    changes: [...swapChanges(outcome), ...failedChanges(outcome), ...refusedChanges(outcome)],
  };
}

function swapChanges({ before, wanted, swap, failures }: ReloadOutcome): ReloadChange[] {
  const names = new Set([...before.models, ...wanted.models].map(({ name }) => name));
  const isHeldBack = (name: string) =>
    failures.some(({ model, isServable }) => isServable && model === name) &&
    activeOf(before, name) === activeOf(wanted, name);
  const changed = [...names].filter(
    (name) =>
      !modelServesTheSame(find(before, name), find(wanted, name)) &&
      !(isHeldBack(name) && swap?.outcome === 'committed'),
  );
  return changed.map((model) => {
    const change = { model, from: activeOf(before, model), to: activeOf(wanted, model) };
    return swap?.outcome === 'aborted'
      ? { ...change, result: 'aborted', reason: swap.reason }
      : { ...change, result: 'committed' };
  });
}

function failedChanges({ before, failures }: ReloadOutcome): ReloadChange[] {
  return failures.map(({ model, version, reason, details, isServable }) => ({
    model,
    from: activeOf(before, model),
    to: version,
    result: isServable ? 'ready' : 'failed',
    reason,
    ...(details === undefined ? {} : { details }),
  }));
}

function refusedChanges({ before, problems, failures }: ReloadOutcome): ReloadChange[] {
  const refused = problems.filter(
    ({ model }) => !failures.some((failed) => failed.model === model),
  );
  return refused.map(({ model, reason }) => {
    const active = activeOf(before, model);
    return { model, from: active, to: active, result: 'refused', reason };
  });
}

function find(plan: GenerationPlan, name: string) {
  return plan.models.find((model) => model.name === name);
}

function activeOf(plan: GenerationPlan, name: string): number | null {
  return find(plan, name)?.active ?? null;
}
