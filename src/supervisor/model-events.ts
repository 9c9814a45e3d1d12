import type { GenerationPlan, ModelPlan, VersionFailure } from '../registry/plan.js';
import type { ModelEvent } from '../rpc/events.js';

type Change = Pick<ModelEvent, 'state' | 'version' | 'label'>;

/** What a commit changes for clients, model by model: what comes first, what goes last. */
export function modelEvents(before: GenerationPlan, after: GenerationPlan): ModelEvent[] {
  const names = new Set([...before.models, ...after.models].map(({ name }) => name));
  const find = ({ models }: GenerationPlan, name: string) =>
    models.find((model) => model.name === name);
  return [...names].flatMap((model) =>
    changes(find(before, model), find(after, model)).map((change): ModelEvent => ({
      ...{ type: 'model', model, generation: after.generation, ...change },
    })),
  );
}

export function failureEvents(
  failures: readonly VersionFailure[],
  generation: number,
): ModelEvent[] {
  return failures.map(({ model, version, reason }) => ({
    ...{ type: 'model', state: 'failed', model, version, generation, reason },
  }));
}

function changes(before: ModelPlan | undefined, after: ModelPlan | undefined): Change[] {
  const [old, next] = [versionsOf(before), versionsOf(after)];
  const isReplaced =
    after !== undefined &&
    (before?.active !== after.active || old.get(after.active) !== next.get(after.active));
  return [
    ...missing(next, old).map((version) => ({ state: 'loaded' as const, version })),
    ...(isReplaced ? [{ state: 'active' as const, version: after.active }] : []),
    ...labelChanges(before?.labels ?? {}, after?.labels ?? {}),
    ...missing(old, next).map((version) => ({ state: 'retired' as const, version })),
  ];
}

function labelChanges(before: ModelPlan['labels'], after: ModelPlan['labels']): Change[] {
  const [old, next] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const set = [...next].filter(([label, version]) => old.get(label) !== version);
  const removed = [...old].filter(([label]) => !next.has(label));
  return [
    ...set.map(([label, version]) => ({ state: 'labelled' as const, version, label })),
    ...removed.map(([label, version]) => ({ state: 'unlabelled' as const, version, label })),
  ];
}

/** Keys by number. */
function versionsOf(model: ModelPlan | undefined): Map<number, string> {
  return new Map(model?.versions.map(({ version, key }) => [version, key]));
}

/** Versions of `these` that `those` have not, or otherwise. */
function missing(these: Map<number, string>, those: Map<number, string>): number[] {
  return [...these].filter(([version, key]) => those.get(version) !== key).map(([n]) => n);
}
