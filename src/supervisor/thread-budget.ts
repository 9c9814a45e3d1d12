import { availableParallelism } from 'node:os';
import type { DaemonConfig, ModelConfig } from '../config/schema.js';

type Workers = DaemonConfig['workers'];

/** How the cores of this host are shared: each worker loads every model for itself. */
export interface ThreadBudget {
  cores: number;
  /** At most, where their number follows the load. */
  workers: number;
}

/** On a host with many cores more workers than this rarely help. */
const MOST_WORKERS_BY_DEFAULT = 4;

export function threadBudget(workers: Workers, cores = availableParallelism()): ThreadBudget {
  const most = typeof workers === 'object' ? workers.max : fixedWorkers(workers, cores);
  return { cores, workers: most };
}

/** How many workers there are at first. */
export function firstWorkers(workers: Workers, cores = availableParallelism()): number {
  return typeof workers === 'object' ? workers.min : fixedWorkers(workers, cores);
}

function fixedWorkers(workers: 'auto' | number, cores: number): number {
  return workers === 'auto' ? Math.min(MOST_WORKERS_BY_DEFAULT, cores) : workers;
}

/**
 * Threads that one run of a model may use: what model.yaml says, or as many as let all workers do all
 * the model's runs that may be under way at once without more threads than cores; at least 1.
 */
export function intraOpThreads(
  { threads, instances }: Pick<ModelConfig, 'threads' | 'instances'>,
  { cores, workers }: ThreadBudget,
): number {
  return threads.intraOp ?? Math.max(1, Math.floor(cores / (workers * instances)));
}
