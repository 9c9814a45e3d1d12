import { WarmswapError } from '../rpc/errors.js';
import type { Version } from './version.js';

export interface ServedModel {
  name: string;
  active: Version;
  labels: ReadonlyMap<string, Version>;
  versions: ReadonlyMap<number, Version>;
}

/** What a request may ask for, and the version that it gets. */
export interface Route {
  model: string;
  /** The request names this version, or this label, or neither. */
  version?: number;
  label?: string;
  target: Version;
  /**
   * Answers to requests with the same one never go back to an older version; none for those that
   * name a version.
   */
  order: string | undefined;
}

/** What one generation serves. Immutable: a swap replaces the whole set by assigning one reference. */
export class ModelSet {
  /** To versions that are not away when the set is made. */
  readonly routes: readonly Route[];

  constructor(
    readonly generation: number,
    readonly models: ReadonlyMap<string, ServedModel>,
  ) {
    this.routes = [...models.values()].flatMap(routesOf).filter(({ target }) => !target.isAway);
  }

  /** The version that a request gets; throws NOT_FOUND, naming what there is. */
  resolve(name: string, version?: number, label?: string): Version {
    const model = this.models.get(name);
    if (!model) throw notFound(`model '${name}'`, 'models', this.models.keys());
    if (version !== undefined) {
      const pinned = model.versions.get(version);
      if (pinned) return pinned;
      throw notFound(`version ${version} of '${name}'`, 'versions', model.versions.keys());
    }
    if (label === undefined) return model.active;
    const labelled = model.labels.get(label);
    if (labelled) return labelled;
    throw notFound(`label '${label}' of '${name}'`, 'labels', model.labels.keys());
  }

  /**
   * As `resolve`, for a request that is to run: what stands in for a version whose breaker is open, where
   * there is such and the request does not name the version. Else that version refuses it.
   */
  choose(name: string, version?: number, label?: string): Version {
    const wanted = this.resolve(name, version, label);
    if (version !== undefined || wanted.admits) return wanted;
    const fallback = this.#fallbackOf(wanted);
    return fallback?.admits ? fallback : wanted;
  }

  #fallbackOf({ name, plan }: Version): Version | undefined {
    const fallback = plan.options.breaker?.fallback;
    const model = this.models.get(name);
    if (typeof fallback === 'number') return model?.versions.get(fallback);
    return fallback === undefined ? undefined : model?.labels.get(fallback);
  }

  /** The same generation with other versions in the place of some. */
  withVersions(others: ReadonlyMap<Version, Version>): ModelSet {
    const swapped = (version: Version) => others.get(version) ?? version;
    const models = [...this.models].map(([name, model]): [string, ServedModel] => {
      const labels = new Map([...model.labels].map(([label, one]) => [label, swapped(one)]));
      const versions = new Map([...model.versions].map(([number, one]) => [number, swapped(one)]));
      return [name, { name, active: swapped(model.active), labels, versions }];
    });
    return new ModelSet(this.generation, new Map(models));
  }

  *versions(): Generator<Version> {
    for (const model of this.models.values()) yield* model.versions.values();
  }

  isActive(version: Version): boolean {
    return this.models.get(version.name)?.active === version;
  }

  has(version: Version): boolean {
    return this.models.get(version.name)?.versions.get(version.number) === version;
  }
}

function routesOf({ name: model, active, labels, versions }: ServedModel): Route[] {
  return [
    { model, target: active, order: orderOf(model) },
    ...[...labels].map(([label, target]) => ({
      ...{ model, label, target },
      order: orderOf(model, label),
    })),
    ...[...versions].map(([version, target]) => ({ model, version, target, order: undefined })),
  ];
}

/** See Route. */
export function orderOf(model: string, label?: string): string {
  return label === undefined ? model : `${model}@${label}`;
}

const MOST_NAMES = 20;

function notFound(what: string, kind: string, known: Iterable<string | number>): WarmswapError {
  const names = [...known];
  const shown = names.slice(0, MOST_NAMES).join(', ');
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  const served = names.length === 0 ? 'none' : shown + more;
  return new WarmswapError('NOT_FOUND', `${what} is not served; ${kind} served: ${served}`);
}
