import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { MODEL_NAME, subfolders, VERSION_NAME, type RepositorySnapshot } from './scan.js';

/** What has been published, as far as it is there as a whole. */

/**
 * Differs whenever a reload could make a difference. A version without its model.onnx, which is still
 * being written, is not looked at, and neither are the files of requests.
 */
export function publicationsDigest({ models }: RepositorySnapshot): string {
  const published = [...models.values()].map(({ name, config, versions }) => [
    name,
    config,
    ...versions
      .filter(({ isIncomplete }) => !isIncomplete)
      .map(({ version, fingerprint }) => [version, fingerprint]),
  ]);
  return createHash('sha256').update(JSON.stringify(published)).digest('hex');
}

/**
 * The folders in which a publication shows: the repository's own, those of models, also of models
 * without a version, and those of versions. At most `most`.
 */
export async function publicationFolders(directory: string, most: number): Promise<string[]> {
  const folders = [directory];
  for (const name of await subfolders(directory, MODEL_NAME)) {
    const model = join(directory, name);
    const versions = await subfolders(model, VERSION_NAME).catch(() => []);
    folders.push(model, ...versions.map((version) => join(model, version)));
  }
  return folders.slice(0, most);
}
