import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ErrorCode } from '../rpc/codes.js';
import { WarmswapError } from '../rpc/errors.js';

/**
 * The one typed contract of the addon (native/addon). Nothing here waits: work goes out with a
 * ticket, and comes back in `onEvents` with the same ticket. Datatypes are indices into the
 * protocol's list (src/rpc/tensor.ts, DATATYPES).
 */

export type OnEvents = (events: readonly NativeEvent[]) => void;

/** What a ticket came back with. `error` has one of the contract's codes as `code`. */
export interface NativeEvent {
  ticket: number;
  /** Not the end yet: the model that this ticket loads is mapped, its session comes next. */
  mapped?: true;
  value?:
    | NativeRunResult
    | NativeAnswer
    | NativeModel
    | NativeMemory
    | NativePackReport
    | NativeGpus
    | NativeCopySpeed
    | NativeSlab
    | undefined;
  error?: Error;
}

/** An answer that is ready to be sent: a long one in pieces that belong behind one another. */
export type NativeAnswer = Uint8Array | readonly Uint8Array[];

/** Parallel arrays, one element per tensor. */
export interface NativeTensors {
  datatypes: number[];
  shapes: (readonly number[])[];
  /** Bytes, little-endian and row-major; for BYTES an array of elements. */
  data: (Uint8Array | readonly (Uint8Array | string)[])[];
}

export interface NativeRunResult extends NativeTensors {
  queueUs: number;
  computeUs: number;
  batchSize: number;
}

/** What a model has done since it was loaded. Times are in microseconds. */
export interface NativeStats {
  /** By outcome: `OK` or the code of the error; also requests that were refused at once. */
  requests: Record<ErrorCode | 'OK', number>;
  /** Of requests that succeeded; BYTES tensors count as no bytes. */
  rowsIn: number;
  rowsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Requests that ran together, of each run that succeeded. */
  batchSize: NativeHistogram;
  /** Of each request that succeeded. */
  queueUs: NativeHistogram;
  /** Of each run that succeeded. */
  runUs: NativeHistogram;
  /** Joining inputs and cutting outputs, of each run of several requests. */
  assembleUs: NativeHistogram;
  splitUs: NativeHistogram;
}

/** `counts[i]` counts values above 2^(i-1) and up to 2^i; the first also 0, the last all above. */
export interface NativeHistogram {
  counts: number[];
  sum: number;
}

export interface NativeMemory {
  /** Size of the model's files. */
  mappedBytes: number;
  /** How much of that is in the page cache now. */
  residentBytes: number;
  /** By how much the private memory of the process grew while the session was made. */
  privateBytes: number;
  /** The same of the GPU's memory; only of a model that runs there. Runs take more. */
  deviceBytes?: number;
}

export interface NativeTensorSpec {
  name: string;
  datatype: number;
  /** A free dimension is -1, its name (or "") is in `symbols`. */
  shape: number[];
  symbols: string[];
}

export interface NativeModelOptions {
  modelPath: string;
  /** Threads that one run may use; 1 means the runner's own thread alone. */
  intraOpThreads: number;
  /** Threads that wait for work spin for a while: faster, and it takes their cores from others. */
  spinning?: boolean;
  /** The model is an artifact that `pack` made: nothing is left to optimise. */
  optimised?: boolean;
  /** Packed weights are not used, so that loading takes milliseconds: `prepack` makes up for it. */
  unpacked?: boolean;
  /** Memory that loading takes; it is refused if less is available. Left out, it is estimated. */
  reserveBytes?: number | undefined;
  runnerThreads: number;
  queueCapacity: number;
  /** 1 if left out. */
  priorities?: number | undefined;
  /** Rows that may run together; left out or 1, every request runs alone. */
  maxBatch?: number | undefined;
  /** How long after it was queued a request waits for others to run with; 0 if left out. */
  maxDelayMs?: number | undefined;
  /** Where its requests run; `auto` if left out. */
  execution?: NativeExecution | undefined;
  /**
   * Runs it on a GPU: it was packed for one (`NativePackOptions.device`), or not at all. Refused with
   * INVALID_ARGUMENT together with `optimised`, `unpacked` or `execution: 'inline'`, which are of the
   * processor.
   */
  cuda?: NativeCudaOptions | undefined;
  /**
   * The same with WebGPU, on the adapter that it chooses. Loading rejects with FAILED_PRECONDITION where
   * this ONNX Runtime has no WebGPU, or there is no adapter. Runs and loads of all such models of a
   * process take turns.
   */
  webgpu?: boolean | undefined;
}

/**
 * Options of ONNX Runtime's CUDA provider. Loading rejects with FAILED_PRECONDITION where this ONNX
 * Runtime, the driver or the GPU cannot be used, naming the cause, and with RESOURCE_EXHAUSTED where
 * the GPU has too little memory left; then the error's `details` has `neededBytes`, `availableBytes`,
 * `missingBytes` and `device` (`cuda:0`).
 */
export interface NativeCudaOptions {
  /** As CUDA counts GPUs in this process: CUDA_VISIBLE_DEVICES is applied. */
  deviceId: number;
  /** Of the GPU's memory, for what runs take (not the weights); no limit if left out. */
  memoryLimitBytes?: number | undefined;
  /** How much more ONNX Runtime takes where memory for runs is short; `same-as-requested` if left out. */
  arenaExtend?: 'same-as-requested' | 'next-power-of-two' | undefined;
  /** How cuDNN's algorithms are chosen; `heuristic` if left out. */
  convAlgorithmSearch?: 'heuristic' | 'default' | 'exhaustive' | undefined;
  /** FP32 is computed with TensorFloat-32: faster, about three digits. True if left out. */
  tf32?: boolean | undefined;
  /**
   * Runs are recorded once for each shape, the first time that it comes (so: at warm-up), and replayed
   * from then on. Wants one runner thread, and a model that is on the GPU as a whole. False if left out.
   */
  graphs?: boolean | undefined;
  /**
   * Inputs and outputs are bound (IoBinding), outputs to pinned memory. True if left out; false, which
   * excludes `graphs`, is there to be measured against.
   */
  binding?: boolean | undefined;
  /**
   * What brings the weights to the GPU. `onnxruntime`, if left out: one after another, from pageable
   * memory. `direct`: those that lie beside model.onnx by several threads through pinned memory; the
   * model is optimised no further then.
   */
  loader?: 'onnxruntime' | 'direct' | undefined;
  /** Gives back what a run took of the GPU's memory when it ends, for later runs' time. Not with `graphs`. */
  shrinkArena?: boolean | undefined;
  /** Of the GPU's memory, which must be free; left out, it is estimated from the weights. */
  reserveBytes?: number | undefined;
  /**
   * What another process has made of the same model by `shareWeights`; the model is loaded without copies of
   * it. Rejects with FAILED_PRECONDITION where that holds other bytes, or where ONNX Runtime copies it
   * nevertheless or answers otherwise than on the processor. It is closed when the load has rejected, or
   * the model is unloaded.
   */
  weights?: NativeSlab | undefined;
  /** NVIDIA's driver library, if it is not to be the system's `libcuda.so.1`. One a process. */
  driverLibrary?: string | undefined;
}

/** A model's weights in memory of a GPU, for other processes. */
export interface NativeSlab {
  /** Of CUDA's, in hexadecimal. */
  handle: string;
  bytes: number;
}

/** What NVIDIA's driver shows to this process. */
export interface NativeGpus {
  /** The newest version of CUDA that the driver knows, such as `13.0`. */
  cudaVersion: string;
  gpus: NativeGpu[];
}

/** Of copies between a GPU's memory and pinned memory of the host: no load is faster. */
export interface NativeCopySpeed {
  toDeviceBytesPerSecond: number;
  toHostBytesPerSecond: number;
}

export interface NativeGpu {
  /** As `NativeCudaOptions.deviceId` counts. */
  index: number;
  name: string;
  /** As nvidia-smi prints it: `GPU-…`. */
  uuid: string;
  totalBytes: number;
  /** Only of a GPU that this process has loaded a model for; asking others would take their memory. */
  use?: NativeGpuUse;
}

export interface NativeGpuUse {
  /** Of the GPU's memory, whoever has the rest. */
  freeBytes: number;
  /** Set aside for loads that run. */
  reservedBytes: number;
  /** Memory of the host that is pinned for inputs and outputs: in use, and kept for the next ones. */
  pinnedBytes: number;
  /** How often that was not enough, so that pageable memory took its place. */
  pinnedMisses: number;
}

export interface NativePackOptions {
  /** Path of the version's model.onnx. */
  sourcePath: string;
  /** Gets model.onnx and, if there is a weight worth it, weights.bin. */
  outputDirectory: string;
  /** While packing; the artifact is the same for any number, and may be loaded with any. */
  intraOpThreads: number;
  /**
   * What the artifact is for; `cpu` if left out. For the others its form is `external` or `inline`, it is
   * optimised as far as that is the same everywhere, and the rest when it is loaded. Needs no GPU.
   */
  device?: 'cpu' | 'cuda' | 'webgpu' | undefined;
}

export interface NativePackReport {
  /**
   * `prepacked`: weights and their packed forms are shared; `external`: the weights are, and each
   * process packs for itself; `inline`: too small to share.
   */
  form: 'prepacked' | 'external' | 'inline';
  /** Why it is not prepacked. */
  reason?: string;
  /** Whether it was compared with the source; not if that takes none of the generated inputs. */
  verified: boolean;
  /** Bytes of the source's files. */
  sourceBytes: number;
  /** Bytes of the artifact's files. */
  bytes: number;
  dataFileBytes: number;
  /** Bytes of its weights, packed forms not counted. */
  weightBytes: number;
  /** Memory that one session of it takes for itself, measured; 0 of one for a GPU. */
  privateBytes: number;
  /** The same with what loading takes for a moment: reserve this. Of one for a GPU an estimate. */
  loadBytes: number;
  /** By which factor its runs take longer while its packed weights are not used; 0: not measured. */
  unpackedSlowdown: number;
  /** Of the packing process, at most, pages of files included. */
  peakMemoryGrowth: number;
  packSeconds: number;
}

export type NativeExecution = 'auto' | 'inline' | 'threaded';

/** Memory through which the addon hands answers over, and what it calls when some are there. */
export interface NativeAnswers {
  page: ArrayBuffer;
  /** Of each answer: ticket, offset in the page, length. */
  index: Float64Array;
  /** What `accept` gives: four numbers. */
  accepted: Float64Array;
  /** Page and index are used again once this has returned. */
  onAnswers: (count: number) => void;
}

/** What a request may ask for, and what it gets. */
export interface NativeRoute {
  model: string;
  /** The request names this version, or this label, or neither of them. */
  version?: number | undefined;
  label?: string | undefined;
  servedVersion: number;
  target: NativeModel;
  /** Of requests that bring none. */
  deadlineMs?: number | undefined;
}

export interface NativeModel {
  readonly inputs: NativeTensorSpec[];
  readonly outputs: NativeTensorSpec[];
  /** Size of its files, which are mapped as a whole. */
  readonly mappedBytes: number;
  /**
   * Copies the inputs (one per input of the model, in its order) and queues the run. Throws
   * INVALID_ARGUMENT, RESOURCE_EXHAUSTED or UNAVAILABLE; then the ticket is not taken.
   */
  submit(
    ticket: number,
    datatypes: NativeTensors['datatypes'],
    shapes: NativeTensors['shapes'],
    data: NativeTensors['data'],
    outputs: readonly number[],
    deadlineMs: number | undefined,
    priority: number | undefined,
  ): void;
  /**
   * Ends a run that waits or runs: unless it is done already, its ticket comes back as CANCELLED.
   * Ignores what is not out.
   */
  cancel(ticket: number): void;
  /** At once. Throws UNAVAILABLE once unloaded. */
  stats(): NativeStats;
  /** Comes back with a NativeMemory within milliseconds a gigabyte, also while a load runs. */
  memory(ticket: number): void;
  /** Of a model that was loaded `unpacked`: takes the packed weights into use; comes back with nothing. */
  prepack(ticket: number): void;
  /** Ends what runs and frees everything; comes back with nothing. The model is unusable at once. */
  unload(ticket: number): void;
}

export interface NativeRuntime {
  /** ONNX Runtime's version. */
  readonly version: string;
  /** What it says of its commit and flags: two builds of one version may differ in it. */
  readonly buildInfo: string;
  readonly providers: string[];
  /** Comes back with a NativeModel. */
  load(ticket: number, options: NativeModelOptions): void;
  /** Makes a load that is out come back soon, as CANCELLED unless it is done. Ignores what is not out. */
  cancelLoad(ticket: number): void;
  /** Comes back with a NativePackReport; takes seconds a gigabyte. */
  pack(ticket: number, options: NativePackOptions): void;
  /**
   * Comes back with NativeGpus, or FAILED_PRECONDITION: no driver library, or none that works. The
   * first call in a process may take seconds. `driverLibrary`: see NativeCudaOptions.
   */
  gpus(ticket: number, driverLibrary?: string): void;
  /**
   * Comes back with a NativeCopySpeed, after some copies of 256 MiB, or with what `load` would reject
   * with for that GPU.
   */
  measureCopies(ticket: number, deviceId: number, driverLibrary?: string): void;
  /**
   * Copies the weights beside a model's model.onnx into a GPU's memory, for other processes on that GPU;
   * comes back with a NativeSlab, or with RESOURCE_EXHAUSTED and the numbers.
   */
  shareWeights(ticket: number, modelPath: string, deviceId: number, driverLibrary?: string): void;
  /** Frees them; comes back with nothing, or NOT_FOUND. No process may have them open. */
  freeWeights(ticket: number, handle: string): void;
  /** Replaces all routes. Throws UNAVAILABLE for a model that is unloaded. */
  setRoutes(routes: readonly NativeRoute[]): void;
  /**
   * Takes the frame of an `infer` request, copying its inputs. False, and has done nothing, where it is
   * no plain request that some route serves. Else `accepted` of the NativeAnswers has the index of its
   * route in what `setRoutes` was given, its msgid, the length of its answer, which lies at the page's
   * beginning until the next call, and 1 if that answer is an error, since the queue is full, or else 0.
   * Where the length is 0 the answer comes later, through the page or as a NativeAnswer in `onEvents`, or
   * an error there; only then the ticket is taken.
   */
  accept(frame: ArrayBuffer, ticket: number): boolean;
  /**
   * Must follow once all frames that have come together are accepted: then they run. Gives in how many
   * milliseconds the earliest deadline of those that were queued passes; -1 if they have none.
   */
  endTurn(): number;
  /**
   * Ends what waits in a queue beyond its deadline, as DEADLINE_EXCEEDED. Gives a number of milliseconds
   * in which no deadline of what still waits passes; -1 if there is none.
   */
  expire(): number;
  /** To be called often while this thread is at work: see native/core/prompt_thread.h. `accept` calls it. */
  updatePriority(): void;
  /** Ends all threads; cancels a load and waits for packing that runs. Tickets still out never come back. */
  close(): void;
}

export interface NativeBinding {
  Runtime: new (libraryPath: string, onEvents: OnEvents, answers: NativeAnswers) => NativeRuntime;
  /** Gives all threads, and those that start later, the lowest priority for processor and disk. */
  lowerPriorityOfProcess(): void;
  /** Of this thread and of those that it starts from then on; what the system refuses stays as it is. */
  shortenTimeSlice(): void;
  /** Threads that serve may be prompt from now on: see native/core/prompt_thread.h. */
  allowPromptThreads(): void;
  /** Whether the system permits it. */
  arePromptThreadsPermitted(): boolean;
}

const require = createRequire(import.meta.url);
const ADDON_PATH = fileURLToPath(new URL('../../build/Release/warmswap.node', import.meta.url));
const BUILD_SCRIPT = fileURLToPath(new URL('../../native/build/build-addon.mjs', import.meta.url));
/** What makes the addon for this machine, wherever the package is. */
export const BUILD_ADDON_COMMAND = `node ${BUILD_SCRIPT}`;

/** Loads the addon; throws FAILED_PRECONDITION with the remedy where it cannot. */
export function loadBinding(): NativeBinding {
  if (process.platform !== 'linux') {
    throw noAddon(
      `the daemon runs on Linux only, not on ${process.platform}; the client library works here`,
    );
  }
  if (!existsSync(ADDON_PATH)) {
    throw noAddon(
      `the native addon is not built (${ADDON_PATH} is missing): run "${BUILD_ADDON_COMMAND}"`,
    );
  }
  try {
    return require(ADDON_PATH) as NativeBinding;
  } catch (error) {
    const remedy = `Rebuild it for this machine: "${BUILD_ADDON_COMMAND}"`;
    throw noAddon(`the native addon does not load: ${String(error)}. ${remedy}`, error);
  }
}

function noAddon(message: string, cause?: unknown): WarmswapError {
  return new WarmswapError('FAILED_PRECONDITION', message, { cause });
}

/** The ONNX Runtime library that onnxruntime-node carries. */
export function bundledLibraryPath(): string {
  const main = require.resolve('onnxruntime-node/package.json');
  const path = new URL(
    `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime.so.1`,
    `file://${main}`,
  );
  return fileURLToPath(path);
}
