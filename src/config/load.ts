import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { ConfigError, parseYaml, validate } from './parse.js';
import { daemonSchema, type DaemonConfig } from './schema.js';
import type { SCOPES } from './tokens.js';

/** Where each setting may come from besides the file: flags beat variables beat the file. */
const SETTINGS = [
  { flag: 'models', variable: 'WARMSWAP_MODELS', path: ['models'] },
  { flag: 'store', variable: 'WARMSWAP_STORE', path: ['store', 'path'] },
  { flag: 'host', variable: 'WARMSWAP_HOST', path: ['listen', 'host'] },
  { flag: 'port', variable: 'WARMSWAP_PORT', path: ['listen', 'port'] },
  { flag: 'adminPort', variable: 'WARMSWAP_ADMIN_PORT', path: ['admin', 'port'] },
  { flag: 'workers', variable: 'WARMSWAP_WORKERS', path: ['workers'] },
  { flag: 'device', variable: 'WARMSWAP_DEVICE', path: ['device'] },
  { flag: 'watch', variable: 'WARMSWAP_WATCH', path: ['watch'] },
  { flag: 'logLevel', variable: 'WARMSWAP_LOG_LEVEL', path: ['log', 'level'] },
] as const;

/** Not by a flag, which other users of the host could read, and never a number. */
export const TOKEN_VARIABLE = 'WARMSWAP_ADMIN_TOKEN';

export type Flags = Partial<Record<(typeof SETTINGS)[number]['flag'], string>>;

export interface ConfigSources {
  /** Path of warmswap.yaml; without it, defaults. */
  file?: string | undefined;
  flags: Flags;
  environment: Readonly<Record<string, string | undefined>>;
}

type Tree = Record<string, unknown>;

/**
 * The frozen configuration of a daemon. A relative path counts from the file's folder, or from the
 * working directory when it comes from a flag or a variable. Throws ConfigError.
 */
export function loadConfig(sources: ConfigSources): DaemonConfig {
  const file = sources.file ?? sources.environment.WARMSWAP_CONFIG;
  const tree = file === undefined ? {} : readTree(file, sources.environment);
  for (const { flag, variable, path } of SETTINGS) {
    const text = sources.flags[flag] ?? sources.environment[variable];
    if (text === undefined) continue;
    const isPath = flag === 'models' || flag === 'store';
    const value = isPath ? resolve(text) : scalar(text);
    const isFlag = sources.flags[flag] !== undefined;
    refuseWrong(isFlag ? flagName(flag) : variable, path, value, text);
    setPath(tree, path, value);
  }
  const token = sources.environment[TOKEN_VARIABLE];
  if (token !== undefined) setPath(tree, ['admin', 'token'], token);
  tree.models ??= resolve(file === undefined ? '.' : dirname(file), 'models');
  const config = validate(daemonSchema, tree, file ?? 'configuration');
  refuseOpenHosts(config, file ?? 'configuration');
  return config;
}

/** What comes from a flag or a variable is refused with its name, and not with that of a key in the file. */
function refuseWrong(name: string, path: readonly string[], value: unknown, text: string): void {
  const alone: Tree = { models: '.' };
  setPath(alone, path, value);
  const issue = daemonSchema.safeParse(alone).error?.issues[0];
  if (issue) throw new ConfigError(name, [`${issue.message}, got '${text}'`]);
}

function flagName(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function readTree(file: string, environment: ConfigSources['environment']): Tree {
  const value = parseYaml(readText(file), file, environment);
  if (!isTree(value)) throw new ConfigError(file, ['expected a map of settings']);
  const tree = { ...value };
  const fromFile = (path: unknown) =>
    typeof path === 'string' ? resolve(dirname(file), path.replace(/^~(?=\/|$)/, homedir())) : path;
  for (const path of PATHS) changeAt(tree, path, fromFile);
  return tree;
}

/** Where the file names paths; `*` is every item of a list. */
const PATHS = [
  ['models'],
  ['state'],
  ['ortLibrary'],
  ['store'],
  ['store', 'path'],
  ['auth', 'tokens', '*', 'tokenFile'],
  ['listen', 'tls', 'cert'],
  ['listen', 'tls', 'key'],
] as const;

/** Replaces what stands there, if anything does. The tree is the caller's own. */
function changeAt(
  tree: Tree | unknown[],
  [head = '', ...rest]: readonly string[],
  change: (value: unknown) => unknown,
): void {
  for (const key of head === '*' ? Object.keys(tree) : [head]) {
    if (!Object.hasOwn(tree, key)) continue;
    const value = (tree as Tree)[key];
    if (rest.length === 0) (tree as Tree)[key] = change(value);
    else if (typeof value === 'object' && value !== null) changeAt(value as Tree, rest, change);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(file, [`cannot be read: ${(error as Error).message}`]);
  }
}

function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const child = tree[head];
  const next: Tree = isTree(child) ? { ...child } : {};
  tree[head] = next;
  setPath(next, rest, value);
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

function refuseOpenHosts(config: DaemonConfig, source: string): void {
  const { admin, auth, listen } = config;
  const hasTokens = (scope: (typeof SCOPES)[number]) =>
    auth.tokens.some(({ scopes }) => scopes.includes(scope));
  if (!isLoopback(admin.host) && admin.token === undefined && !hasTokens('admin')) {
    throw new ConfigError(source, [
      `admin.host: ${admin.host} is not a loopback address; set admin.token if other ` +
        'machines may steer the daemon',
    ]);
  }
  if (auth.insecure || isLoopback(listen.host) || hasTokens('infer')) return;
  throw new ConfigError(source, [
    `listen.host: ${listen.host} is open to other machines, without authentication; ` +
      'set auth.tokens, or auth.insecure: true if that is meant',
  ]);
}

/** Only this host reaches it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
