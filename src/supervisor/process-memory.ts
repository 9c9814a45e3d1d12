import { readFile } from 'node:fs/promises';

/** Memory of a process as the kernel counts it, in bytes. */
export interface ProcessMemory {
  rssBytes: number;
  /** Resident, shared pages divided by the number of processes that map them. */
  pssBytes: number;
  privateBytes: number;
  sharedBytes: number;
}

const NOTHING: ProcessMemory = { rssBytes: 0, pssBytes: 0, privateBytes: 0, sharedBytes: 0 };

/** Reads /proc/PID/smaps_rollup; zeros for a process that is gone. */
export async function readProcessMemory(pid: number): Promise<ProcessMemory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  if (text === '') return NOTHING;
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return {
    rssBytes: bytes('Rss'),
    pssBytes: bytes('Pss'),
    privateBytes: bytes('Private_Clean') + bytes('Private_Dirty'),
    sharedBytes: bytes('Shared_Clean') + bytes('Shared_Dirty'),
  };
}
