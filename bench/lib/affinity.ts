import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Which cores processes run on, by taskset (util-linux), so that server and client do not compete. */

type Cpus = string;

const allCpus = readAffinity();

/**
 * The server's core and the client's core, or undefined where there are no two or no taskset. Rows
 * with one server process use them.
 */
export const separateCores = chooseCores(allCpus);

/** How the processes of a row were placed, for people. */
export function describePlacement(): string {
  return separateCores
    ? `rows with one server process: server on core ${separateCores.server}, client polling on core ${separateCores.client} (taskset)`
    : 'processes are not pinned: no taskset or a single core';
}

/**
 * Calls `start`, which spawns a process before it returns or awaits: that process and all that it
 * starts stay on these cores. A child takes over the affinity of the thread that spawns it.
 */
export function startedOn<T>(cpus: Cpus | undefined, start: () => T): T {
  if (cpus === undefined || allCpus === undefined) return start();
  setOwnAffinity(cpus);
  try {
    return start();
  } finally {
    setOwnAffinity(allCpus);
  }
}

/** Cores that a process started with `cpus` sees. */
export function coreCount(cpus: Cpus | undefined): number {
  return cpus === undefined ? availableParallelism() : 1;
}

function chooseCores(cpus: Cpus | undefined): { server: Cpus; client: Cpus } | undefined {
  const [server, client] = cpus === undefined ? [] : expand(cpus);
  return server === undefined || client === undefined ? undefined : { server, client };
}

/** `0-2,5` → 0, 1, 2, 5. */
function expand(cpus: Cpus): string[] {
  return cpus.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
  });
}

function readAffinity(): Cpus | undefined {
  try {
    const text = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
    return text.slice(text.lastIndexOf(':') + 1).trim();
  } catch {
    return undefined;
  }
}

/** Of the main thread, which is the one that spawns. */
function setOwnAffinity(cpus: Cpus): void {
  execFileSync('taskset', ['-cp', cpus, String(process.pid)], { stdio: 'ignore' });
}
