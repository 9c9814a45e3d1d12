import { readFile } from 'node:fs/promises';

/** Whether a process maps a file whose path contains `part`. */
export async function mapsFile(pid: number, part: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/maps`, 'utf8')).includes(part);
}
