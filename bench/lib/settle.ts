import type { BenchDaemon } from './daemon.js';
import { seconds } from './load.js';

/** Around readings of the memory of a daemon that swaps; in seconds. */
export interface Pauses {
  /** Under load, in which V8's heaps find their size. */
  warmUp: number;
  /** In which old versions drain, and V8, which looks 5 s back, sees a process that is at rest. */
  settle: number;
  /** Behind which workers give back what their heaps do not use: 10 s after their last unload. */
  collection: number;
}

export const PAUSES: Pauses = { warmUp: 10, settle: 6, collection: 5 };
/** Too short for V8 to be at rest: quick figures of memory are a little higher. */
export const QUICK_PAUSES: Pauses = { warmUp: 0.5, settle: 0.5, collection: 0.5 };

/**
 * To be called before memory is read, without load: lets a daemon that is `collectable` come to rest, and
 * collects its garbage.
 */
export async function settleMemory(
  daemon: BenchDaemon,
  { settle, collection }: Pauses,
): Promise<void> {
  await seconds(settle);
  daemon.collectGarbage();
  await seconds(collection);
}
