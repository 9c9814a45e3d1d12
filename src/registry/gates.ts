import { signatureChange } from './signature.js';
import type { Version } from './version.js';

/** What a loaded version must pass before it may serve. */

/**
 * Why a version is refused for its warm-up; nothing if it passed, or if its failing proves nothing.
 * Generated inputs are a guess that a good model may reject. They prove something where model.yaml
 * gives their shapes, or where the active version takes them. Another version's requests prove
 * something only of the version that gets them next: see clientsRefusal.
 */
export function warmUpRefusal(next: Version, current: Version | undefined): string | undefined {
  const isGiven =
    next.warmUpSource === 'files' || Object.keys(next.plan.options.warmup.shapes).length > 0;
  const wasFine = current?.warmUpSource === 'generated' && current.warmUpProblem === undefined;
  const isProof = next.warmUpSource !== 'recorded' && (isGiven || wasFine);
  return isProof ? next.warmUpProblem : undefined;
}

/**
 * Why a version must not get the requests of the active one: it failed one that that answered, or
 * gave NaN where that gave none.
 */
export function clientsRefusal(next: Version): string | undefined {
  const failed = next.warmUpSource === 'recorded' ? next.warmUpProblem : undefined;
  return failed ?? next.nanProblem;
}

/** Why a version cannot take over from the active one; nothing if clients will not notice. */
export function signatureRefusal(next: Version, current: Version | undefined): string | undefined {
  const change = current && signatureChange(current.signature, next.signature);
  if (change === undefined) return undefined;
  return (
    `the signature differs from the active version's: ${change}; activate it with ` +
    '--allow-signature-change if clients are ready for that'
  );
}
