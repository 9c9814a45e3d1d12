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

/** `gpus`: those that models run on. */
export function threadBudget(
  workers: Workers,
  gpus: number,
  cores = availableParallelism(),
): ThreadBudget {
  const most = typeof workers === 'object' ? workers.max : fixedWorkers(workers, gpus, cores);
  return { cores, workers: most };
}

/** How many workers there are at first. */
export function firstWorkers(
  workers: Workers,
  gpus: number,
  cores = availableParallelism(),
): number {
  return typeof workers === 'object' ? workers.min : fixedWorkers(workers, gpus, cores);
}

/** A CUDA context, and the weights in a GPU's memory, are of one process: there is one for each GPU. */
function fixedWorkers(workers: 'auto' | number, gpus: number, cores: number): number {
  if (workers !== 'auto') return workers;
  return gpus > 0 ? gpus : Math.min(MOST_WORKERS_BY_DEFAULT, cores);
}

/**
 * Threads that one run of a model may use: what model.yaml says, or as many as let all workers do all
 * the model's runs that may be under way at once without more threads than cores; at least 1.
 */
export function intraOpThreads(
  { threads, instances }: Pick<ModelConfig, 'threads'> & { instances: number },
  { cores, workers }: ThreadBudget,
): number {
  return threads.intraOp ?? Math.max(1, Math.floor(cores / (workers * instances)));
}
