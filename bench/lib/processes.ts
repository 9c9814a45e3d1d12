import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel says of processes (proc(5)). */

export const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** Fields of /proc/PID/stat, counted from the one after the name in parentheses. */
const UTIME = 11;
const STIME = 12;
/** Of children that have ended and been waited for, and of theirs. */
const CUTIME = 13;
const CSTIME = 14;

/** A process and all that descend from it. */
export function processTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** User and system time that all threads of these processes have taken, in microseconds. */
export function processorUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statUs(pid, [UTIME, STIME]), 0);
}

/** The same of this process and of all its children that have ended. */
export function ownProcessorUs(): number {
  return statUs(process.pid, [UTIME, STIME, CUTIME, CSTIME]);
}

function statUs(pid: number, wanted: readonly number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = wanted.reduce((sum, field) => sum + Number(fields[field]), 0);
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

export function mappingCount(pid: number): number {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').trimEnd().split('\n').length;
}

export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
