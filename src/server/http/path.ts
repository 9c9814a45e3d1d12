import { WarmswapError } from '../../rpc/errors.js';

/** What a path of the data port names. Without a version: the active one, or all of them for stats. */
export type Resource =
  { kind: 'server' | 'live' | 'ready' | 'rpc' | 'allStatistics' } | ModelResource;

export interface ModelResource {
  kind: 'metadata' | 'modelReady' | 'statistics' | 'infer';
  model: string;
  version?: number;
}

const FIXED: ReadonlyMap<string, Resource> = new Map<string, Resource>([
  ['/v2', { kind: 'server' }],
  ['/v2/health/live', { kind: 'live' }],
  ['/v2/health/ready', { kind: 'ready' }],
  ['/rpc', { kind: 'rpc' }],
]);

const ACTIONS: ReadonlyMap<string | undefined, ModelResource['kind']> = new Map([
  [undefined, 'metadata'],
  ['ready', 'modelReady'],
  ['stats', 'statistics'],
  ['infer', 'infer'],
]);

const MODEL_PATH = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/([a-z]+))?$/;

/**
 * Reads the path of a URL, without its query. `isModel` tells whether there is a model of that name:
 * /v2/models/stats is its metadata then, and the statistics of all models otherwise. Undefined for an
 * unknown path; throws INVALID_ARGUMENT for a name or a version that cannot be one.
 */
export function parsePath(path: string, isModel: (name: string) => boolean): Resource | undefined {
  const fixed = FIXED.get(path);
  if (fixed) return fixed;
  const [, name, version, action] = MODEL_PATH.exec(path) ?? [];
  const kind = ACTIONS.get(action);
  if (name === undefined || kind === undefined) return undefined;
  const model = decodeName(name);
  if (path === '/v2/models/stats' && !isModel(model)) return { kind: 'allStatistics' };
  return version === undefined ? { kind, model } : { kind, model, version: parseVersion(version) };
}

function decodeName(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new WarmswapError(
      'INVALID_ARGUMENT',
      `model: expected a percent-encoded name, got ${segment}`,
    );
  }
}

function parseVersion(segment: string): number {
  if (/^[1-9]\d{0,15}$/.test(segment) && Number.isSafeInteger(Number(segment))) {
    return Number(segment);
  }
  throw new WarmswapError(
    'INVALID_ARGUMENT',
    `version: expected a positive integer, got '${segment.slice(0, 64)}'`,
  );
}
