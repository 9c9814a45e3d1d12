import { readFile } from 'node:fs/promises';
import { WarmswapError } from '../rpc/errors.js';

/**
 * Refuses with the numbers, rather than be killed for memory, if a load would take more than the
 * host can give without swapping. Rejects with RESOURCE_EXHAUSTED.
 */
export async function requireMemory(bytes: number): Promise<void> {
  const available = await availableBytes();
  if (bytes <= available) return;
  throw new WarmswapError(
    'RESOURCE_EXHAUSTED',
    `loading takes about ${bytes} bytes of memory, the host has ${available} available`,
  );
}

/** MemAvailable of the host, page cache that can be dropped included. */
async function availableBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1];
  return kibibytes === undefined ? Number.POSITIVE_INFINITY : Number(kibibytes) * 1024;
}
