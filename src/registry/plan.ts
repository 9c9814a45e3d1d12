import type { Device, DeviceKind } from '../config/device.js';
import type { NativeCudaOptions } from '../native/binding.js';
import type { BreakerOptions } from './circuit-breaker.js';

/** What a worker is told to serve: the content of one generation. Plain data, sent between processes. */

export interface VersionPlan {
  version: number;
  /** Absolute path of model.onnx: the repository's, or the artifact's where there is one. */
  modelPath: string;
  /** Differs whenever a file of the version was replaced or changed. */
  fingerprint: string;
  /** How the artifact shares its weights, and why not better; without it, the source is loaded. */
  artifact?: ArtifactPlan;
  /** Absolute paths of the repository's requests for warm-up, if there are any. */
  warmupFiles?: readonly string[];
  /** And of its golden vectors. */
  goldenFiles?: readonly string[];
  /** What model.onnx of the repository must hash to, in hexadecimal, where model.yaml says so. */
  sha256?: string;
  /** Two plans with equal keys are the same version loaded the same way. */
  key: string;
  options: VersionOptions;
}

export interface ArtifactPlan {
  /** What it is made for; the processor if left out. */
  device?: Exclude<DeviceKind, 'cpu'>;
  form: 'prepacked' | 'external' | 'inline';
  reason?: string;
  /** Of its files. */
  bytes: number;
  /** Memory to reserve for a load. */
  loadBytes: number;
  /** Memory that its session takes for itself, as the packer measured it. */
  privateBytes: number;
  /** By which factor its runs take longer while its packed weights are not used; 0: not measured. */
  unpackedSlowdown: number;
}

export interface VersionOptions {
  queueCapacity: number;
  /** Deadline in milliseconds for requests that bring none; none if left out. */
  deadlineMs?: number;
  /** Requests may have the priorities 0 to `priorities` - 1. */
  priorities: number;
  /** Whether runs shorter than a hop to another thread are done without one. */
  execution: 'auto' | 'inline' | 'threaded';
  /** How many runs may be under way at once. */
  instances: number;
  /** Where it runs in every worker; left out: on the worker's device. */
  device?: Device;
  /** Of a model that runs on a GPU through CUDA. */
  cuda?: CudaPlan;
  /** Where other workers run it on the same GPU, they all use one copy of its weights. */
  sharesWeights?: true;
  /** Threads that one run may use, and whether those that wait for work spin. */
  threads: { intraOp: number; spinning: boolean };
  /** Rows that may run together, and how long a request waits for others; none: each runs alone. */
  batching?: { maxBatch: number; maxDelayMs: number };
  /** Where nothing else serves meanwhile, it serves before its packed weights are in use. */
  quickStart: boolean;
  /** When requests are kept away from it because it fails; none: never. */
  breaker?: BreakerPlan;
  warmup: WarmUpOptions;
}

/** How a model runs on a GPU, whichever it is. */
export type CudaPlan = Pick<
  NativeCudaOptions,
  'memoryLimitBytes' | 'arenaExtend' | 'convAlgorithmSearch' | 'tf32' | 'graphs' | 'loader'
>;

export interface BreakerPlan extends BreakerOptions {
  /** The label or version that requests get meanwhile; none: they are refused. */
  fallback?: string | number;
}

export interface WarmUpOptions {
  /** Of each request and each batch size; 0 turns the warm-up off. */
  runs: number;
  /** Of generated inputs. */
  shapes: Readonly<Record<string, readonly number[]>>;
  /** Numbers of rows to run where the version has batching; all that can occur if left out. */
  batchSizes?: readonly number[];
  /** Nothing that can be left out begins after this. */
  maxDurationMs: number;
}

export interface ModelPlan {
  name: string;
  /** The version of requests that name none. Is one of `versions`. */
  active: number;
  /** Each names one of `versions`. */
  labels: Readonly<Record<string, number>>;
  versions: readonly VersionPlan[];
  /** The version that was active before, and that a rollback goes back to. */
  previous?: number;
  /** The versions that are loaded whatever is active or has a label; all if left out. */
  chosen?: readonly number[];
  /** The active version may have another signature than the one before it. */
  allowSignatureChange?: boolean;
}

/** A choice of the active version. Holds until a newer version than all known then can be served. */
export interface Activation {
  version: number;
  newestKnown: number;
  allowSignatureChange: boolean;
}

/** What an operator has asked for a model by hand, beside its model.yaml. */
export interface OperatorChoices {
  activation?: Activation;
  /**
   * Labels given to a version, or, with null, taken away. `inFile` is what model.yaml said of the
   * label then: once it says something else, that counts.
   */
  labels?: Readonly<Record<string, { version: number | null; inFile: number | null }>>;
  /** Versions to load beside those that model.yaml wants. */
  loaded?: readonly number[];
  /** Versions not to load because model.yaml wants them. */
  unloaded?: readonly number[];
  /** The model is not served at all. */
  isUnloaded?: true;
}

export interface GenerationPlan {
  generation: number;
  models: readonly ModelPlan[];
  /** By model; part of what is committed, and nothing to workers. */
  choices?: Readonly<Record<string, OperatorChoices>>;
  /** The versions have passed their gates already, and join again in a worker that starts. */
  isCommitted?: true;
}

/** Why a version was refused. */
export interface VersionFailure {
  model: string;
  version: number;
  key: string;
  code: string;
  reason: string;
  /** The numbers of the reason, where it has some: `neededBytes`, `availableBytes`, `missingBytes`. */
  details?: unknown;
  /** It may serve those who ask for it, but not become active: its clients would notice. */
  isServable?: true;
}
