import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the kernel says of processes (proc(5)). */

export const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** Fields of /proc/PID/stat, counted from the one after the name in parentheses. */
const UTIME = 11;
const STIME = 12;
/** Of children that have ended and been waited for, and of theirs. */
const CUTIME = 13;
const CSTIME = 14;
const CHECK_EVERY_MS = 10;

/** A process and all that descend from it. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

/** None of a process that is gone. */
function childrenOf(pid: number): number[] {
  try {
    return threadsOf(pid).flatMap((folder) =>
      readFileSync(`${folder}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Resolves when none of them runs; kills those that still do after so long. */
export async function endProcesses(pids: readonly number[], patienceMs: number): Promise<void> {
  const killAt = performance.now() + patienceMs;
  for (let left = pids.filter(isRunning); left.length > 0; left = left.filter(isRunning)) {
    if (performance.now() > killAt) left.forEach(kill);
    await sleep(CHECK_EVERY_MS);
  }
}

/** Not where it has ended, though it stays as a zombie if nobody asks how. */
export function isRunning(pid: number): boolean {
  try {
    const [state] = statFields(pid);
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** User and system time that all threads of these processes have taken, in microseconds. */
export function processorUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statUs(pid, [UTIME, STIME]), 0);
}

/** The same to the nanosecond instead of the tick, of the threads that they have now. */
export function threadsProcessorUs(pids: readonly number[]): number {
  return pids.flatMap(threadsOf).reduce((sum, folder) => {
    const [runNs] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ');
    return sum + Number(runNs) / 1e3;
  }, 0);
}

function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
}

/** User and system time of processes that descended from this one, each waited for by its parent. */
export function childrenProcessorUs(): number {
  return statUs(process.pid, [CUTIME, CSTIME]);
}

/** The same of a tree of processes, and of those that have left it and been waited for. */
export function treeProcessorUs(pids: readonly number[]): number {
  const all = [UTIME, STIME, CUTIME, CSTIME];
  return pids.filter(isRunning).reduce((sum, pid) => sum + statUs(pid, all), 0);
}

function statUs(pid: number, wanted: readonly number[]): number {
  const fields = statFields(pid);
  const ticks = wanted.reduce((sum, field) => sum + Number(fields[field]), 0);
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

/** From the one after the name in parentheses. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function mappingCount(pid: number): number {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').trimEnd().split('\n').length;
}

export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
