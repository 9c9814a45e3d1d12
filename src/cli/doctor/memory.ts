import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, sizeText, warn, type Check } from './check.js';

/** Memory, page cache, the limit of the control group, huge pages. */

const FEW_BYTES = 2 ** 30;
const KIBIBYTE = 1024;
const VERSION_2 = '0::';

export interface MemoryInfo {
  totalBytes: number;
  availableBytes: number;
  /** In the page cache. */
  cachedBytes: number;
}

/** Of /proc/meminfo. */
export function parseMeminfo(text: string): MemoryInfo {
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * KIBIBYTE;
  return {
    totalBytes: bytes('MemTotal'),
    availableBytes: bytes('MemAvailable'),
    cachedBytes: bytes('Cached'),
  };
}

/** The control group (v2) of /proc/PID/cgroup; `/` where there is none. */
export function parseControlGroup(text: string): string {
  const line = text.split('\n').find((one) => one.startsWith(VERSION_2));
  return line?.slice(VERSION_2.length) ?? '/';
}

/** The mode of /sys/kernel/mm/transparent_hugepage/enabled: the one in brackets. */
export function parseHugePages(text: string): string | undefined {
  return /\[(\w+)\]/.exec(text)?.[1];
}

/** The least memory.max of a control group and those that it lies in; none of them has one: nothing. */
export async function groupLimit(root: string, group: string): Promise<number | undefined> {
  const names = group.split('/').filter((name) => name !== '');
  const folders = names.map((_, i) => join(root, ...names.slice(0, i + 1)));
  const texts = await Promise.all(
    [root, ...folders].map((folder) => read(join(folder, 'memory.max'))),
  );
  const limits = texts.filter((text) => /^\d+\s*$/.test(text)).map(Number);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

export async function checkMemory(): Promise<Check[]> {
  const info = parseMeminfo(await read('/proc/meminfo'));
  const group = parseControlGroup(await read('/proc/self/cgroup'));
  const limit = await groupLimit('/sys/fs/cgroup', group);
  const hugePages = parseHugePages(await read('/sys/kernel/mm/transparent_hugepage/enabled'));
  return [
    checkAvailable(info),
    ok('page cache', `${sizeText(info.cachedBytes)} in use`, { cachedBytes: info.cachedBytes }),
    checkGroupLimit(limit),
    ok('huge pages', hugePages ?? 'not in this kernel', hugePages ? { mode: hugePages } : {}),
  ];
}

export function checkAvailable(info: MemoryInfo): Check {
  const { availableBytes, totalBytes } = info;
  const found = `${sizeText(availableBytes)} available of ${sizeText(totalBytes)}`;
  if (availableBytes >= FEW_BYTES) return ok('memory', found, { ...info });
  const remedy =
    'end other programs, or use a host with more memory: models that do not fit are refused';
  return warn('memory', found, remedy, { ...info });
}

export function checkGroupLimit(limitBytes: number | undefined): Check {
  const name = 'memory limit';
  if (limitBytes === undefined) return ok(name, 'none of the control group (v2)');
  const found = `${sizeText(limitBytes)} of the control group`;
  if (limitBytes >= FEW_BYTES) return ok(name, found, { limitBytes });
  return warn(name, found, 'raise memory.max of the service or container', { limitBytes });
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
