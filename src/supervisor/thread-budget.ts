import { availableParallelism } from 'node:os';
import type { DaemonConfig, ModelConfig } from '../config/schema.js';

/** How the cores of this host are shared: each worker loads every model for itself. */
export interface ThreadBudget {
  cores: number;
  workers: number;
}

/** On a host with many cores more workers than this rarely help. */
const MOST_WORKERS_BY_DEFAULT = 4;

export function threadBudget(
  workers: DaemonConfig['workers'],
  cores = availableParallelism(),
): ThreadBudget {
  return {
    cores,
    workers: workers === 'auto' ? Math.min(MOST_WORKERS_BY_DEFAULT, cores) : workers,
  };
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
