import { readFileSync } from 'node:fs';
import { readProcessMemory } from '../../src/supervisor/process-memory.js';

/** Memory of processes and of the machine, in bytes. */

/** Shared pages count in parts: the sum over processes is what they take together. */
export async function totalPss(pids: readonly number[]): Promise<number> {
  const memories = await Promise.all(pids.map((pid) => readProcessMemory(pid)));
  return memories.reduce((sum, { pssBytes }) => sum + pssBytes, 0);
}

export async function totalRss(pids: readonly number[]): Promise<number> {
  const memories = await Promise.all(pids.map((pid) => readProcessMemory(pid)));
  return memories.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
}

/** Why a row that takes this much memory at its peak had better not start, if so. */
export function memoryProblem(bytes: number): string | undefined {
  const available =
    Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
  if (available >= bytes) return undefined;
  const gigabytes = (value: number) => (value / 1e9).toFixed(1);
  return `needs ${gigabytes(bytes)} GB of memory, ${gigabytes(available)} GB are free`;
}
