import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Real models and inputs, beside a checkout of the project where they are. */
export const assetsDir = fileURLToPath(new URL('../../../shared', import.meta.url));

/** Whether the assets have this path; says so once where they have not, because tests are skipped then. */
export function hasAssets(path: string): boolean {
  const found = existsSync(`${assetsDir}/${path}`);
  if (!found) console.log(`skipped: ../shared/${path} is not here`);
  return found;
}
