import type { Slab } from '../native/engine.js';

export type { Slab } from '../native/engine.js';

/** Weights in a GPU's memory that another process holds for as long as somebody has a lease on them. */
export interface WeightLease {
  slab: Slab;
  /** The slab is closed here, and is not opened again. Idempotent. */
  giveBack(): void;
  /** The load has ended, with the slab or without: another worker can load. Idempotent. */
  settle(): void;
}

export interface WeightSource {
  /**
   * The weights of the model at this path on this GPU, when it is this worker's turn to load with some.
   * Rejects with the reason where there are none to be had, and soon after `signal` aborts.
   */
  borrow(modelPath: string, gpu: number, signal?: AbortSignal): Promise<WeightLease>;
}
