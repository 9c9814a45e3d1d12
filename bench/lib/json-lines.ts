import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Files of one JSON value a line. The caller knows what is in them. */

export function appendJsonLine(path: string, value: object): void {
  appendFileSync(path, `${JSON.stringify(value)}\n`);
}

/** Nothing if there is no such file. */
export function readJsonLines(path: string): unknown[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line): unknown => JSON.parse(line));
}
