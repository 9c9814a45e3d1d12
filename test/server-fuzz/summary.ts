import type { FuzzReport } from './server-fuzz.js';

/** One line. */
export function summary({ rpc, http, seconds, seed, health, violations }: FuzzReport): string {
  const { OK: answered = 0, ...refused } = Object.fromEntries(rpc.answers);
  const parts = [
    `${rpc.frames} frames over ${rpc.connections} connections`,
    `${http.requests} bodies`,
    `${answered} answered`,
    `refused ${listed(Object.entries(refused))}`,
    `closed ${listed(rpc.closes)}`,
    `HTTP ${listed(http.statuses)}, ${http.closes} closed`,
    `${seconds.toFixed(1)} s`,
    `RSS ${mebibytes(health.warm.rssBytes)} → ${mebibytes(health.end.rssBytes)} MiB`,
    `mappings ${health.warm.mappings} → ${health.end.mappings}`,
    `descriptors ${health.warm.descriptors} → ${health.end.descriptors}`,
    `longest stall ${Math.round(health.end.longestStallMs)} ms`,
    `seed ${seed}`,
    violations.length === 0 ? 'nothing found' : `${violations.length} FOUND`,
  ];
  return parts.join('; ');
}

function listed(counts: Iterable<readonly [string | number, number]>): string {
  return [...counts].map(([what, count]) => `${what}: ${count}`).join(', ') || 'none';
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
