import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { arePromptThreadsPermitted } from '../../native/engine.js';
import { ok, sizeText, warn, type Check } from './check.js';
import { isAtLeast } from './program.js';

/** The kernel, and what it lets a process have. */

/** Descriptors of a worker beside its connections: libraries, models, pipes. */
const OTHER_FILES = 256;
const POPULATE_SINCE = '5.14';

/** A soft limit of /proc/PID/limits; Infinity for `unlimited`, nothing for one that is not there. */
export function parseLimit(text: string, name: string): number | undefined {
  const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
  return value === 'unlimited' ? Infinity : value === undefined ? undefined : Number(value);
}

export async function checkLimits(maxConnections: number): Promise<Check[]> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  return [
    checkKernel(release()),
    checkOpenFiles(parseLimit(limits, 'Max open files'), maxConnections),
    checkLockedMemory(parseLimit(limits, 'Max locked memory')),
    ...checkPromptThreads(),
  ];
}

export function checkKernel(version: string): Check {
  if (isAtLeast(version, POPULATE_SINCE)) return ok('kernel', version);
  const found = `${version}, without MADV_POPULATE_READ`;
  const remedy = `use Linux ${POPULATE_SINCE} or newer: the first requests of a version may wait for the disk`;
  return warn('kernel', found, remedy);
}

/** Node.js has raised its soft limit to the hard one, as it does in a worker. */
export function checkOpenFiles(limit: number | undefined, maxConnections: number): Check {
  const name = 'open files';
  const wanted = maxConnections + OTHER_FILES;
  if (limit === undefined) return ok(name, 'limit unknown');
  if (limit >= wanted) return ok(name, numberText(limit), { limit });
  const found = `${limit}, fewer than limits.maxConnections, ${maxConnections}, and ${OTHER_FILES}`;
  const remedy = `raise the hard limit to ${wanted} (ulimit -Hn, LimitNOFILE) or lower limits.maxConnections`;
  return warn(name, found, remedy, { limit });
}

/** Nothing is locked by Warmswap, so no limit is a defect. */
export function checkLockedMemory(limit: number | undefined): Check {
  if (limit === undefined) return ok('locked memory', 'limit unknown');
  const found = limit === Infinity ? 'unlimited' : sizeText(limit);
  return ok('locked memory', found, { limit: limit === Infinity ? 'unlimited' : limit });
}

/** Nothing where there is no addon to ask. */
function checkPromptThreads(): Check[] {
  try {
    return [checkRealTime(arePromptThreadsPermitted())];
  } catch {
    return [];
  }
}

/** Few systems permit it unasked, and what it is for is met on busy hosts only, so no refusal is a defect. */
export function checkRealTime(permitted: boolean): Check {
  const found = permitted
    ? 'permitted'
    : 'not permitted (it takes CAP_SYS_NICE or LimitRTPRIO=2, and no niceness): while a model is loaded a request may wait for its core';
  return ok('real-time scheduling', found, { permitted });
}

function numberText(limit: number): string {
  return limit === Infinity ? 'unlimited' : String(limit);
}
