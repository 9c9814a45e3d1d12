import type { VersionOptions } from '../../src/registry/plan.js';

/** Options of a planned version, for tests that care about none or a few of them. */
export function versionOptions(some: Partial<VersionOptions> = {}): VersionOptions {
  return {
    queueCapacity: 1,
    priorities: 3,
    execution: 'auto',
    instances: 1,
    quickStart: true,
    threads: { intraOp: 1, spinning: false },
    warmup: { runs: 0, shapes: {}, maxDurationMs: 1 },
    ...some,
  };
}
