import type { ModelPlan, OperatorChoices } from '../registry/plan.js';
import type { RepositoryModel } from '../repository/scan.js';
import { WarmswapError } from '../rpc/errors.js';

/** What an operator may ask for a model, as pure functions of what was asked for before. */

const MOST_LABELS = 256;

/** By model. */
export type Choices = Readonly<Record<string, OperatorChoices>>;

export interface ChoiceContext {
  model: RepositoryModel;
  /** What is committed of it; nothing if it is not served. */
  served: ModelPlan | undefined;
}

/** Throws NOT_FOUND or FAILED_PRECONDITION, naming what there is, if it cannot be followed. */
export type ChoiceChange = (before: OperatorChoices, context: ChoiceContext) => OperatorChoices;

export function choicesOf(choices: Choices | undefined, name: string): OperatorChoices {
  return choices && Object.hasOwn(choices, name) ? (choices[name] ?? {}) : {};
}

/** Makes a version active, until a newer one is published. */
export function activate(version: number, allowSignatureChange: boolean): ChoiceChange {
  return (before, { model }) => {
    requireVersion(model, version);
    const newestKnown = Math.max(...model.versions.map((each) => each.version));
    const activation = { version, newestKnown, allowSignatureChange };
    return { ...wanting(before, version), activation };
  };
}

/** Loads a version beside those that model.yaml wants; without one, serves a model that was unloaded. */
export function load(version?: number): ChoiceChange {
  return (before, { model }) => {
    if (version === undefined) return served(before);
    requireVersion(model, version);
    const { loaded = [] } = before;
    return { ...wanting(before, version), loaded: including(loaded, version) };
  };
}

/**
 * Unloads a version that is neither active nor has a label, or the whole model, until it is loaded
 * again.
 */
export function unload(version?: number): ChoiceChange {
  return (before, context) => {
    if (version === undefined) return { ...before, isUnloaded: true };
    requireUnused(context, version);
    const { loaded = [], unloaded = [] } = before;
    return {
      ...before,
      loaded: without(loaded, version),
      unloaded: including(unloaded, version),
    };
  };
}

/** Gives a label to a version. Holds until model.yaml says something else of that label than now. */
export function setLabel(label: string, version: number): ChoiceChange {
  return (before, { model }) => {
    requireVersion(model, version);
    const { labels = {} } = before;
    if (!Object.hasOwn(labels, label) && Object.keys(labels).length >= MOST_LABELS) {
      const reason = `${model.name} has ${MOST_LABELS} labels that were set by hand already`;
      throw new WarmswapError('FAILED_PRECONDITION', reason);
    }
    return withLabel(wanting(before, version), label, version, labelInFile(model, label));
  };
}

/** Takes a label away, also one of model.yaml, until that says something else of it. */
export function removeLabel(label: string): ChoiceChange {
  return (before, { model, served: plan }) => {
    const { labels = {} } = plan ?? {};
    if (!Object.hasOwn(labels, label)) {
      const names = Object.keys(labels).join(', ') || 'none';
      const reason = `${model.name} has no label '${label}'; labels: ${names}`;
      throw new WarmswapError('NOT_FOUND', reason);
    }
    return withLabel(before, label, null, labelInFile(model, label));
  };
}

/** The labels of model.yaml with those set by hand, and which of these still hold. */
export function effectiveLabels(
  inFile: Readonly<Record<string, number>>,
  chosen: OperatorChoices['labels'] = {},
): { labels: Record<string, number>; held: NonNullable<OperatorChoices['labels']> } {
  const held = Object.entries(chosen).filter(([label, choice]) => {
    const now = Object.hasOwn(inFile, label) ? inFile[label] : null;
    return now === choice.inFile && now !== choice.version;
  });
  const labels = new Map(Object.entries(inFile));
  for (const [label, { version }] of held) {
    if (version === null) labels.delete(label);
    else labels.set(label, version);
  }
  return { labels: Object.fromEntries(labels), held: Object.fromEntries(held) };
}

function requireVersion({ name, versions }: RepositoryModel, version: number): void {
  const known = versions.map((each) => each.version);
  if (known.includes(version)) return;
  const there = known.length === 0 ? 'no such model' : `versions: ${known.join(', ')}`;
  throw new WarmswapError('NOT_FOUND', `${name}/${version} is not in the repository; ${there}`);
}

function requireUnused({ model: { name }, served: plan }: ChoiceContext, version: number): void {
  const loaded = plan?.versions.map((each) => each.version) ?? [];
  if (!loaded.includes(version)) {
    const reason = `version ${version} of ${name} is not loaded; loaded: ${loaded.join(', ') || 'none'}`;
    throw new WarmswapError('NOT_FOUND', reason);
  }
  const label = Object.entries(plan?.labels ?? {}).find(([, each]) => each === version)?.[0];
  const use = plan?.active === version ? 'is active' : label && `has the label '${label}'`;
  if (use === undefined) return;
  throw new WarmswapError('FAILED_PRECONDITION', `version ${version} of ${name} ${use}`);
}

function labelInFile({ config, name }: RepositoryModel, label: string): number | null {
  if ('problem' in config) {
    const reason = `the configuration of ${name} cannot be read: ${config.problem}`;
    throw new WarmswapError('FAILED_PRECONDITION', reason);
  }
  return Object.hasOwn(config.labels, label) ? (config.labels[label] ?? null) : null;
}

function withLabel(
  before: OperatorChoices,
  label: string,
  version: number | null,
  inFile: number | null,
): OperatorChoices {
  return { ...before, labels: { ...before.labels, [label]: { version, inFile } } };
}

function served({ isUnloaded: _, ...rest }: OperatorChoices): OperatorChoices {
  return rest;
}

function wanting(before: OperatorChoices, version: number): OperatorChoices {
  return { ...served(before), unloaded: without(before.unloaded ?? [], version) };
}

function including(versions: readonly number[], version: number): readonly number[] {
  return [...without(versions, version), version];
}

function without(versions: readonly number[], version: number): readonly number[] {
  return versions.filter((each) => each !== version);
}
