import type { Logger } from '../telemetry/log.js';
import type { WorkerPool } from './worker-pool.js';

/**
 * Puts others into the places of the workers with these process ids, one after the other, as their shared
 * weights are lost: what the driver makes of such memory is not said, but what runs on it has not failed yet.
 * Those that serve do so until the other one is ready. Never rejects.
 */
export async function replaceWorkers(
  pids: readonly number[],
  pool: Pick<WorkerPool, 'workers' | 'replace'>,
  exchange: (worker: number) => Promise<unknown>,
  log: Logger,
): Promise<void> {
  for (const pid of pids) {
    const worker = pool.workers.find((each) => each.pid === pid);
    if (!worker || worker.hasEnded || worker.wasDrained) continue;
    if (worker.state !== 'ready') {
      worker.kill('its shared weights are lost');
      continue;
    }
    try {
      await exchange(worker.id);
    } catch (error) {
      log.error({ worker: worker.id, reason: (error as Error).message }, 'worker is drained');
      pool.replace(worker.id);
    }
  }
}
