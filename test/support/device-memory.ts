import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What processes have of the memory of a GPU, whose driver is the stand-in: files without a name. */

const NAME = '/memfd:device ';

/** The blocks that a process has allocated or opened, by numbers that are the same in every process. */
export async function deviceBlocks(pid: number): Promise<string[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '');
  const lines = maps.split('\n').filter((line) => line.includes(NAME));
  return lines.map((line) => line.split(/\s+/)[4] ?? '').sort();
}

/** The bytes of each block. */
export async function readDeviceBlocks(pid: number): Promise<Buffer[]> {
  const folder = `/proc/${pid}/fd`;
  const files = (await readdir(folder)).map((name) => join(folder, name));
  const targets = await Promise.all(files.map((file) => readlink(file).catch(() => '')));
  const blocks = files.filter((_, index) => targets[index]?.startsWith(NAME));
  return Promise.all(blocks.map((file) => readFile(file)));
}
