import { readFileSync } from 'node:fs';

export interface PackageJson {
  version: string;
  engines: { node: string };
}

/** Warmswap's own package.json. */
export function packageJson(): PackageJson {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text) as PackageJson;
}
