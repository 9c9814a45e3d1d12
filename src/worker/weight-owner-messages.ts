import type { Slab } from '../native/engine.js';

/** What the supervisor and the owner of a GPU's shared weights (weight-owner.ts) tell each other. Plain JSON. */

export type ToWeightOwner =
  /** First of all, once. */
  | { type: 'start'; gpu: number; ortLibrary?: string | undefined; drainTimeoutMs: number }
  | { type: 'load'; modelPath: string }
  /** No process has it open any more. */
  | { type: 'free'; slab: Slab }
  /** The processes that may have something open. */
  | { type: 'holders'; pids: readonly number[] };

export type FromWeightOwner =
  | { type: 'loaded'; modelPath: string; slab: Slab }
  | { type: 'failed'; modelPath: string; reason: string };
