import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MODEL_NAME, VERSION_NAME } from './scan.js';

const MOST = 20;
const IS_BUILT = /^\.|\.tmp$/;
const MODEL_FILE = '.onnx';

/**
 * ONNX files that lie where nobody looks for them, a level or two from where they would be served, each
 * with what was expected, for people; at most 20. Folders that cannot be read are left out.
 */
export async function findMisplaced(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, isFolder } of await entries(directory)) {
    if (found.length >= MOST) break;
    if (isFolder) found.push(...(await misplacedIn(directory, name)));
    else if (isModel(name)) found.push(`${name}: expected <model>/<version>/model.onnx`);
  }
  return found.slice(0, MOST);
}

async function misplacedIn(directory: string, model: string): Promise<string[]> {
  const inside = await entries(join(directory, model));
  const files = inside
    .filter(({ name, isFolder }) => !isFolder && isModel(name))
    .map(({ name }) => `${model}/${name}: expected ${model}/1/model.onnx, with any version for 1`);
  const folders = await Promise.all(
    inside
      .filter(({ isFolder }) => isFolder)
      .map(({ name }) => misplacedVersion(directory, model, name)),
  );
  return [...files, ...folders.flat()];
}

async function misplacedVersion(
  directory: string,
  model: string,
  version: string,
): Promise<string[]> {
  if (MODEL_NAME.test(model) && VERSION_NAME.test(version)) return [];
  const files = (await entries(join(directory, model, version))).map(({ name }) => name);
  if (!files.some(isModel)) return [];
  const reason = MODEL_NAME.test(model)
    ? 'a version is a positive integer'
    : "a model's name has letters, digits, '.', '_' and '-' and begins with a letter or digit";
  return [`${model}/${version}: ${reason}`];
}

async function entries(directory: string): Promise<{ name: string; isFolder: boolean }[]> {
  const all = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return all
    .filter(({ name }) => !IS_BUILT.test(name))
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}

function isModel(name: string): boolean {
  return name.endsWith(MODEL_FILE);
}
