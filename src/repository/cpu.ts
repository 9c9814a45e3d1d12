import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * A name for this processor, equal on hosts whose processors can share prepacked weights: the model
 * and a digest of its instruction sets.
 */
export async function cpuName(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  const sets = (field('flags') || field('Features')).split(' ').sort().join(' ');
  const digest = createHash('sha256').update(sets).digest('hex').slice(0, 12);
  return `${process.arch} ${field('model name')} ${digest}`;
}
