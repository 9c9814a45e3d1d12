import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml, validate } from '../config/parse.js';
import { modelSchema, type ModelConfig } from '../config/schema.js';

/** A snapshot of the user's folder: `<models>/<name>/<version>/model.onnx` and `<name>/model.yaml`. */
export interface RepositorySnapshot {
  models: ReadonlyMap<string, RepositoryModel>;
}

export interface RepositoryModel {
  name: string;
  /** The model's configuration, or why it or the model's folder cannot be read. */
  config: ModelConfig | ConfigProblem;
  /** Ascending. */
  versions: readonly RepositoryVersion[];
}

export interface ConfigProblem {
  problem: string;
}

export interface RepositoryVersion {
  version: number;
  /** Absolute path of model.onnx. */
  modelPath: string;
  /** Differs whenever a file of the version was replaced or changed. */
  fingerprint: string;
  /** There is no model.onnx. */
  isIncomplete?: true;
  /** Absolute paths of `warmup/*.json`, sorted; one more than may be, if there are too many. */
  warmupFiles: readonly string[];
  /** The same of `golden/*.json`. */
  goldenFiles: readonly string[];
}

/** Names that start with a dot or end with .tmp are what publishers build under. */
export const MODEL_NAME = /^(?!.*\.tmp$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
export const VERSION_NAME = /^[1-9][0-9]{0,14}$/;
/** Requests for tests and warm-up: they are no part of what is loaded. */
const REQUEST_FOLDERS: ReadonlySet<string> = new Set(['golden', 'warmup']);
const MAX_FILES = 65_536;
/** One more than are taken, which tells that there are too many. */
const MAX_LISTED_REQUESTS = 65;

/**
 * Reads the repository. Folders whose names are no model's or version's are not looked at, and
 * models without a version are left out. Rejects if the repository's folder itself cannot be read.
 */
export async function scanRepository(directory: string): Promise<RepositorySnapshot> {
  const models = new Map<string, RepositoryModel>();
  for (const name of await subfolders(directory, MODEL_NAME)) {
    const model = await scanModel(name, join(directory, name)).catch(unreadable(name));
    if (model) models.set(name, model);
  }
  return { models };
}

/** A folder that was removed meanwhile is no model; one that cannot be read is a problem of its own. */
function unreadable(name: string) {
  return (error: NodeJS.ErrnoException): RepositoryModel | undefined =>
    error.code === 'ENOENT'
      ? undefined
      : { name, config: { problem: error.message }, versions: [] };
}

async function scanModel(name: string, directory: string): Promise<RepositoryModel | undefined> {
  const numbers = (await subfolders(directory, VERSION_NAME)).map(Number).sort((a, b) => a - b);
  if (numbers.length === 0) return undefined;
  const versions = await Promise.all(
    numbers.map((version) => scanVersion(version, join(directory, String(version)))),
  );
  return { name, config: await readModelConfig(join(directory, 'model.yaml')), versions };
}

async function scanVersion(version: number, directory: string): Promise<RepositoryVersion> {
  const files = await versionFiles(directory);
  return {
    version,
    modelPath: join(directory, 'model.onnx'),
    fingerprint: await fingerprint(directory, files),
    ...(files.includes('model.onnx') ? {} : { isIncomplete: true }),
    warmupFiles: await jsonFiles(join(directory, 'warmup')),
    goldenFiles: await jsonFiles(join(directory, 'golden')),
  };
}

async function jsonFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(noneIfMissing);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .slice(0, MAX_LISTED_REQUESTS)
    .map((name) => join(directory, name));
}

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}

/** Of a model.yaml, with every default where it is not there. Never rejects. */
export async function readModelConfig(path: string): Promise<ModelConfig | ConfigProblem> {
  try {
    const text = await readFile(path, 'utf8').catch(emptyIfMissing);
    return validate(modelSchema, parseYaml(text, path, process.env), path);
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function emptyIfMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** Names of the folders in a folder that match, sorted. */
export async function subfolders(directory: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => pattern.test(name));
  const stats = await Promise.all(
    names.map((name) => stat(join(directory, name)).catch(() => null)),
  );
  return names.filter((_, index) => stats[index]?.isDirectory()).sort();
}

/** From names, inodes, sizes and modification times; no file is read. */
async function fingerprint(directory: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of files) {
    const file = await stat(join(directory, path), { bigint: true }).catch(() => null);
    hash.update(`${path}\0${file?.ino}\0${file?.size}\0${file?.mtimeNs}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Paths below the version's folder of the files that are served, sorted. */
export async function versionFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => !REQUEST_FOLDERS.has(path.split('/')[0] ?? ''))
    .sort()
    .slice(0, MAX_FILES);
}
