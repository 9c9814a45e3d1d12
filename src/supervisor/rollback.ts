import type { GenerationPlan, ModelPlan, VersionPlan } from '../registry/plan.js';
import { choicesOf } from './operator-choices.js';

/** The way back to the version that was active before, as pure functions of generations. */

/** For which models that version stays loaded although nothing else wants it. */
export interface RollbackPolicy {
  /** Models whose active version has just been replaced keep the one before. */
  keepsReplaced: boolean;
  /** Models that keep the one before still. */
  open: ReadonlySet<string>;
}

/** The plan of a model with the version that was active before, which stays loaded if it is kept and may stay. */
export function withPrevious(
  plan: ModelPlan,
  before: ModelPlan | undefined,
  { keepsReplaced, open }: RollbackPolicy,
  mayStay: (version: VersionPlan) => boolean = () => true,
): ModelPlan {
  const isReplaced = plan.active !== before?.active;
  const previous = isReplaced ? before?.active : before.previous;
  if (previous === undefined) return plan;
  const isKept = isReplaced ? keepsReplaced : open.has(plan.name);
  const isThere = plan.versions.some(({ version }) => version === previous);
  const kept = before?.versions.find((each) => each.version === previous && mayStay(each));
  if (!isKept || isThere || !kept) return { ...plan, previous };
  const versions = [...plan.versions, kept].sort((a, b) => a.version - b.version);
  return { ...plan, previous, versions };
}

/**
 * The generation in which a model is back at its previous version, by the operator's choice; nothing
 * if that is not loaded.
 */
export function rolledBack(committed: GenerationPlan, name: string): GenerationPlan | undefined {
  const model = committed.models.find((each) => each.name === name);
  const { active, previous } = model ?? {};
  const isLoaded = model?.versions.some(({ version }) => version === previous);
  if (!model || active === undefined || previous === undefined || !isLoaded) return undefined;
  const newestKnown = Math.max(...model.versions.map(({ version }) => version));
  const activation = { version: previous, newestKnown, allowSignatureChange: true };
  const back = { ...model, active: previous, previous: active, allowSignatureChange: true };
  const choices = { ...choicesOf(committed.choices, name), activation };
  return {
    ...next(committed, (each) => (each === model ? back : each)),
    choices: { ...committed.choices, [name]: choices },
  };
}

/** The generation without the versions that only a rollback would want, but for models in `open`. */
export function withoutReplaced(
  committed: GenerationPlan,
  open: ReadonlySet<string>,
): GenerationPlan {
  return next(committed, (model) => (open.has(model.name) ? model : withoutExtra(model)));
}

function withoutExtra(model: ModelPlan): ModelPlan {
  const { active, labels, chosen } = model;
  if (!chosen) return model;
  const wanted = new Set([active, ...Object.values(labels), ...chosen]);
  return { ...model, versions: model.versions.filter(({ version }) => wanted.has(version)) };
}

function next(committed: GenerationPlan, map: (model: ModelPlan) => ModelPlan): GenerationPlan {
  return {
    ...committed,
    generation: committed.generation + 1,
    models: committed.models.map(map),
  };
}
