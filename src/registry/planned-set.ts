import { ModelSet, type ServedModel } from './model-set.js';
import type { GenerationPlan, ModelPlan, VersionPlan } from './plan.js';
import type { Version } from './version.js';

type MakeVersion = (name: string, plan: VersionPlan) => Version;

/**
 * What a plan wants served: the versions of `current` that it keeps, and those that `make` makes, which are to
 * be loaded.
 */
export function plannedSet(
  { generation, models }: GenerationPlan,
  current: ModelSet,
  make: MakeVersion,
): ModelSet {
  const planned = models.map((model) => [model.name, plannedModel(model, current, make)] as const);
  return new ModelSet(generation, new Map(planned));
}

function plannedModel(
  { name, active, labels, versions }: ModelPlan,
  current: ModelSet,
  make: MakeVersion,
): ServedModel {
  const planned = new Map(
    versions.map((version) => [version.version, keptOrNew(name, version, current, make)]),
  );
  const labelled = Object.entries(labels).map(
    ([label, version]) => [label, planned.get(version) as Version] as const,
  );
  const first = planned.get(active) as Version;
  return { name, active: first, labels: new Map(labelled), versions: planned };
}

function keptOrNew(name: string, plan: VersionPlan, current: ModelSet, make: MakeVersion): Version {
  const served = current.models.get(name)?.versions.get(plan.version);
  const isKept = served?.plan.key === plan.key && !served.isAway;
  return isKept ? served : make(name, plan);
}
