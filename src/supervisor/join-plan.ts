import type { ModelPlan, VersionFailure } from '../registry/plan.js';

/**
 * What a worker that starts again serves of a committed model whose versions it cannot all load: the
 * model without those that failed, or nothing if its active version or one with a label is among them.
 */
export function withoutFailed(
  model: ModelPlan,
  failures: readonly VersionFailure[],
): readonly ModelPlan[] {
  const failed = failures.filter((each) => each.model === model.name).map(({ key }) => key);
  const versions = model.versions.filter(({ key }) => !failed.includes(key));
  const there = new Set(versions.map(({ version }) => version));
  const isServable = [model.active, ...Object.values(model.labels)].every((each) =>
    there.has(each),
  );
  return isServable ? [{ ...model, versions }] : [];
}
