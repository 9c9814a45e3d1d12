import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const MODE = 0o644;

/**
 * Gives `use` a temporary folder in `parent`, so that what is put there can be renamed into place.
 * It is removed in any case.
 */
export async function withScratch<T>(
  parent: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(parent, `.warmswap-setup-${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Moves files of a scratch folder into `target`: all of them, or, where that fails, none. */
export async function moveFiles(files: readonly string[], target: string): Promise<void> {
  for (const file of files) await makeDurable(file);
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const file of files) undo.unshift(await replace(file, join(target, basename(file))));
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
  await syncFolder(target);
}

/** A copy that is on the disk when this resolves. */
export async function copyDurably(source: string, target: string): Promise<void> {
  await copyFile(source, target);
  await makeDurable(target);
}

/** Puts a folder in the place of another one, if there is one; that is removed. */
export async function moveFolder(folder: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await syncFolder(folder);
  const old = `${folder}.old`;
  const hadOld = await renameIfThere(target, old);
  try {
    await rename(folder, target);
  } catch (error) {
    if (hadOld) await rename(old, target);
    throw error;
  }
  await syncFolder(dirname(target));
  await rm(old, { recursive: true, force: true });
}

/** Gives what brings back the file that was there. The old one stays beside the new one's source. */
async function replace(source: string, target: string): Promise<() => Promise<void>> {
  const old = `${source}.old`;
  const hadOld = await renameIfThere(target, old);
  const restore = () => (hadOld ? rename(old, target) : rm(target, { force: true }));
  try {
    await rename(source, target);
  } catch (error) {
    await restore();
    throw error;
  }
  return restore;
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function makeDurable(path: string): Promise<void> {
  await chmod(path, MODE);
  const file = await open(path);
  await file.sync().finally(() => file.close());
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}
