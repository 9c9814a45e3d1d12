import type { Grant } from '../access/grant.js';
import type { ModelSet, ServedModel } from '../registry/model-set.js';
import type { Version } from '../registry/version.js';
import { WarmswapError } from '../rpc/errors.js';
import type { DaemonEvent } from '../rpc/events.js';

/** The part of what is served, and of what happens, that a caller may see. */

/** The set, to find a model in; throws PERMISSION_DENIED for one that is not allowed, served or not. */
export function setFor(grant: Grant, set: ModelSet, model: string): ModelSet {
  grant.require(model);
  if (grant.isRestricted && !set.models.has(model)) {
    // The set would name the models that there are.
    throw new WarmswapError('NOT_FOUND', `model '${model}' is not served`);
  }
  return set;
}

export function modelsFor(grant: Grant, set: ModelSet): ServedModel[] {
  return [...set.models.values()].filter(({ name }) => grant.allows(name));
}

export function versionsFor(grant: Grant, set: ModelSet): Version[] {
  return [...set.versions()].filter(({ name }) => grant.allows(name));
}

/** Nothing of other models: neither their events nor, in the reason of an aborted swap, their names. */
export function eventFor(grant: Grant, event: DaemonEvent): DaemonEvent | undefined {
  if (!grant.isRestricted) return event;
  if (event.type === 'model') return grant.allows(event.model) ? event : undefined;
  if (event.type !== 'swap' || event.reason === undefined) return event;
  const { type, state, generation } = event;
  return { type, state, generation };
}
