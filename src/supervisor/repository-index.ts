import type { GenerationPlan, VersionFailure } from '../registry/plan.js';
import type { RepositorySnapshot } from '../repository/scan.js';

/** One version, as the model repository extension of the Open Inference Protocol lists it. */
export interface IndexEntry {
  name: string;
  version: string;
  state: 'READY' | 'UNAVAILABLE';
  /** Empty where there is nothing to say. */
  reason: string;
}

/** Every version of the repository and every one that is served, and why one is not. */
export function repositoryIndex(
  snapshot: RepositorySnapshot,
  committed: GenerationPlan,
  failures: readonly VersionFailure[],
): IndexEntry[] {
  const served = new Map(
    committed.models.map(({ name, versions }) => [name, versions.map(({ version }) => version)]),
  );
  const names = new Set([...snapshot.models.keys(), ...served.keys()]);
  return [...names].sort().flatMap((name) => {
    const loaded = new Set(served.get(name));
    const there = snapshot.models.get(name)?.versions.map(({ version }) => version) ?? [];
    const versions = [...new Set([...there, ...loaded])].sort((a, b) => a - b);
    return versions.map((version) => {
      const failed = failures.find((each) => each.model === name && each.version === version);
      const state = loaded.has(version) ? 'READY' : 'UNAVAILABLE';
      const reason = failed?.reason ?? (state === 'READY' ? '' : 'not loaded');
      return { name, version: String(version), state, reason };
    });
  });
}
