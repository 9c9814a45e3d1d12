import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The ports of the clients that have a TCP connection (IPv4) with this process. */
export async function clientPorts(pid: number): Promise<ReadonlySet<number>> {
  const inodes = await socketInodes(pid);
  const table = await readFile('/proc/net/tcp', 'utf8');
  const rows = table.split('\n').slice(1);
  const ports = rows.flatMap((row) => {
    const [, , remote = '', , , , , , , inode = ''] = row.trim().split(/\s+/);
    return inodes.has(inode) ? [Number.parseInt(remote.split(':')[1] ?? '0', 16)] : [];
  });
  return new Set(ports.filter((port) => port !== 0));
}

async function socketInodes(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    names.map((name) => readlink(join(folder, name)).catch(() => '')),
  );
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}
