/** What a worker is told to serve: the content of one generation. Plain data, sent between processes. */

export interface VersionPlan {
  version: number;
  /** Absolute path of model.onnx. */
  modelPath: string;
  /** Two plans with equal keys are the same version loaded the same way. */
  key: string;
  options: VersionOptions;
}

export interface VersionOptions {
  queueCapacity: number;
  /** Deadline in milliseconds for requests that bring none; none if left out. */
  deadlineMs?: number;
  /** Requests may have the priorities 0 to `priorities` - 1. */
  priorities: number;
  /** How many runs may be under way at once. */
  instances: number;
  /** Rows that may run together, and how long a request waits for others; none: each runs alone. */
  batching?: { maxBatch: number; maxDelayMs: number };
  warmup: { runs: number; shapes: Readonly<Record<string, readonly number[]>> };
}

export interface ModelPlan {
  name: string;
  /** The version of requests that name none. Is one of `versions`. */
  active: number;
  /** Each names one of `versions`. */
  labels: Readonly<Record<string, number>>;
  versions: readonly VersionPlan[];
  /** The active version may have another signature than the one before it. */
  allowSignatureChange?: boolean;
}

export interface GenerationPlan {
  generation: number;
  models: readonly ModelPlan[];
}

/** Why a version did not become ready. */
export interface VersionFailure {
  model: string;
  version: number;
  key: string;
  code: string;
  reason: string;
}
