import type { Tensor, TensorSignature } from './tensor.js';

/** The methods of the RPC: their params and results, as DESIGN §7 states them. */

export interface InferParams {
  model: string;
  /** At most one of `version` and `label`; neither means the active version. */
  version?: number;
  label?: string;
  inputs: Readonly<Record<string, Tensor>>;
  /** Names of the outputs wanted; all if left out. */
  outputs?: readonly string[];
  /** Milliseconds from the arrival of the request. */
  deadlineMs?: number;
  /** 0 is the most urgent; the middle of the model's priorities if left out. */
  priority?: number;
}

export interface InferTiming {
  /** Microseconds from arrival in the native queue until a runner took the request. */
  queueUs: number;
  /** Microseconds of the run. */
  computeUs: number;
  /** Requests that ran together. */
  batchSize: number;
}

export interface InferResult {
  model: string;
  version: number;
  outputs: Record<string, Tensor>;
  timing: InferTiming;
}

export interface ModelListing {
  name: string;
  active: number | null;
  labels: Record<string, number>;
  versions: { version: number; state: string }[];
}

export interface DescribeParams {
  model: string;
  version?: number;
}

/** Memory of one loaded version, in bytes. */
export interface ModelMemory {
  /** Size of the files that are mapped: one copy in the page cache for all workers. */
  mappedBytes: number;
  /** How much of that is in the page cache now. */
  residentBytes: number;
  /**
   * What its session took for itself when it was made: as the packer measured it, where there is an
   * artifact; else by how much the worker's private memory grew meanwhile, whatever for. Runs take more.
   */
  privateBytes: number;
  /** The same of the GPU's memory, where it runs on one. */
  deviceBytes?: number;
}

export interface ModelDescription {
  name: string;
  version: number;
  state: string;
  platform: string;
  inputs: readonly TensorSignature[];
  outputs: readonly TensorSignature[];
  batching: { maxBatch: number } | null;
  /** How its weights are shared between processes, and why not better; null if it was not packed. */
  artifact: { form: string; reason?: string } | null;
  /** In the worker that answers, at most a second old. */
  memory: ModelMemory;
}
