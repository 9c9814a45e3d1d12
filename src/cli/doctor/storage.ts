import { readFile, readdir, statfs } from 'node:fs/promises';
import { existingFolder, storeProblem } from '../../repository/store-folder.js';
import { fail, ok, sizeText, warn, type Check } from './check.js';

/** The repository and the artifact store. */

const FEW_BYTES = 2 ** 31;
/** The page cache of these is not that of a local disk, or they have no shared mappings. */
const REMOTE = /^(nfs4?|cifs|smb3|9p|afs|ceph|lustre|glusterfs|fuse\..*|fuse)$/;
const IN_MEMORY = /^(tmpfs|ramfs)$/;

export async function checkStorage(models: string, store: string): Promise<Check[]> {
  return [await checkRepository(models), await checkStore(store)];
}

export async function checkRepository(models: string): Promise<Check> {
  try {
    const entries = await readdir(models, { withFileTypes: true });
    const number = entries.filter(
      (entry) => entry.isDirectory() && !/^\.|\.tmp$/.test(entry.name),
    ).length;
    return ok('repository', `${models}, ${number} model${number === 1 ? '' : 's'}`, { models });
  } catch (error) {
    const remedy = 'make the folder, or name another one (models in warmswap.yaml, serve --models)';
    return fail('repository', `cannot be read: ${(error as Error).message}`, remedy, { models });
  }
}

export async function checkStore(store: string): Promise<Check> {
  const name = 'artifact store';
  const folder = await existingFolder(store);
  const problem = await storeProblem(store);
  if (problem !== undefined) {
    const remedy = 'give the user of the daemon the right to write there, or name another store';
    return fail(name, problem, remedy, { store });
  }
  const { bavail, bsize } = await statfs(folder);
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return judgeStore(store, bavail * bsize, fileSystemOf(folder, mounts));
}

export function judgeStore(store: string, freeBytes: number, fileSystem: string): Check {
  const name = 'artifact store';
  const found = `${store}, ${sizeText(freeBytes)} free, ${fileSystem}`;
  const details = { store, freeBytes, fileSystem };
  if (freeBytes < FEW_BYTES) {
    const remedy = 'make room: an artifact may take twice the size of its model';
    return warn(name, found, remedy, details);
  }
  if (REMOTE.test(fileSystem)) {
    const remedy = 'put the store on a local disk: loading waits for the network otherwise';
    return warn(name, found, remedy, details);
  }
  if (IN_MEMORY.test(fileSystem)) {
    const remedy =
      'put the store on a disk: it takes memory, and is gone after a restart of the host';
    return warn(name, found, remedy, details);
  }
  return ok(name, found, details);
}

/** By /proc/PID/mountinfo, the type of the file system on which a path lies. */
export function fileSystemOf(path: string, mountinfo: string): string {
  let best = { point: '', type: 'unknown file system' };
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = unescape(before.split(' ')[4] ?? '');
    const [type = ''] = after.split(' ');
    // The later of two mounts on one point lies above.
    if (type !== '' && isBelow(path, point) && point.length >= best.point.length) {
      best = { point, type };
    }
  }
  return best.type;
}

function isBelow(path: string, point: string): boolean {
  return point === '/' || path === point || (point !== '' && path.startsWith(`${point}/`));
}

/** Spaces and their like are written as octal numbers. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
