import { refusal } from './failures.js';
import { clientsRefusal, signatureRefusal, warmUpRefusal } from './gates.js';
import type { ModelSet } from './model-set.js';
import type { GenerationPlan, VersionFailure } from './plan.js';
import type { Version } from './version.js';

/** A generation whose versions are loaded, and the set that it is to replace. */
export interface Candidate {
  plan: GenerationPlan;
  set: ModelSet;
  /** Loaded for it. */
  fresh: readonly Version[];
  current: ModelSet;
}

/** What the gates say of the versions that are ready: of all that are fresh, and of those that get the clients. */
export function gateFailures({ plan, set, fresh, current }: Candidate): VersionFailure[] {
  const activeOf = ({ name }: Version) => current.models.get(name)?.active;
  const next = [...set.models.values()].map(({ active }) => active).filter(isReady);
  const welcome = next.filter((version) => clientsRefusal(version) === undefined);
  return [
    ...fresh
      .filter(isReady)
      .flatMap((version) => refusal(version, warmUpRefusal(version, activeOf(version)))),
    ...next.flatMap((version) => refusal(version, clientsRefusal(version))),
    ...welcome.flatMap((version) => signatureFailures(version, activeOf(version), plan)),
  ];
}

function signatureFailures(
  next: Version,
  active: Version | undefined,
  { models }: GenerationPlan,
): VersionFailure[] {
  if (models.find(({ name }) => name === next.name)?.allowSignatureChange) return [];
  const failures = refusal(next, signatureRefusal(next, active));
  return failures.map((failed) => ({ ...failed, isServable: true }));
}

function isReady({ state }: Version): boolean {
  return state === 'ready';
}
