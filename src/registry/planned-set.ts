import { ModelSet, type ServedModel } from './model-set.js';
import type { GenerationPlan, ModelPlan, VersionPlan } from './plan.js';
import { Version } from './version.js';

/** What a plan wants served: the versions of `current` that it keeps, and new ones that are to be loaded. */
export function plannedSet({ generation, models }: GenerationPlan, current: ModelSet): ModelSet {
  const planned = models.map((model) => [model.name, plannedModel(model, current)] as const);
  return new ModelSet(generation, new Map(planned));
}

function plannedModel(
  { name, active, labels, versions }: ModelPlan,
  current: ModelSet,
): ServedModel {
  const planned = new Map(
    versions.map((version) => [version.version, keptOrNew(name, version, current)]),
  );
  const labelled = Object.entries(labels).map(
    ([label, version]) => [label, planned.get(version) as Version] as const,
  );
  const first = planned.get(active) as Version;
  return { name, active: first, labels: new Map(labelled), versions: planned };
}

function keptOrNew(name: string, plan: VersionPlan, current: ModelSet): Version {
  const served = current.models.get(name)?.versions.get(plan.version);
  const isKept = served?.plan.key === plan.key && !served.isAway;
  return isKept ? served : new Version(name, plan);
}
