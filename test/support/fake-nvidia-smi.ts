import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A PATH on which nvidia-smi comes first and prints these lines, whatever it is asked. */
export async function fakeNvidiaSmi(folder: string, lines: readonly string[]): Promise<string> {
  const bin = join(folder, '.bin');
  await mkdir(bin);
  const script = ['#!/bin/sh', ...lines.map((line) => `echo '${line}'`), ''].join('\n');
  await writeFile(join(bin, 'nvidia-smi'), script, { mode: 0o755 });
  return `${bin}:${process.env.PATH}`;
}
