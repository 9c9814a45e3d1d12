import { access, mkdtemp, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The folder of a store that need not be there yet. */

/** Why nothing can be kept there; nothing if it can. Tries it in the nearest folder that is there. */
export async function storeProblem(path: string): Promise<string | undefined> {
  const folder = await existingFolder(path);
  try {
    await rmdir(await mkdtemp(join(folder, '.warmswap-')));
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    return `${folder} cannot be written: ${code}`;
  }
}

/** The folder itself, or the nearest above it that is there. */
export async function existingFolder(path: string): Promise<string> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : existingFolder(dirname(path));
}
