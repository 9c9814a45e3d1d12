import { statSync } from 'node:fs';
import { WarmswapError } from '../rpc/errors.js';
import type { InferTiming } from '../rpc/methods.js';
import { DATATYPES, type Datatype, type Tensor, type TensorSignature } from '../rpc/tensor.js';
import {
  bundledLibraryPath,
  loadBinding,
  type NativeCopySpeed,
  type NativeGpus,
  type NativeMemory,
  type NativeModel,
  type NativeModelOptions,
  type NativePackOptions,
  type NativePackReport,
  type NativeRunResult,
  type NativeRuntime,
  type NativeSlab,
  type NativeStats,
  type NativeTensors,
  type NativeTensorSpec,
} from './binding.js';
import { Deadlines } from './deadlines.js';
import { InferLane } from './infer-lane.js';
import { Tickets } from './tickets.js';

/** The facade of the native engine: promises and named tensors. One an environment. */

export interface EngineRequest {
  inputs: Readonly<Record<string, Tensor>>;
  /** Names of the outputs wanted; all if left out. */
  outputs?: readonly string[] | undefined;
  deadlineMs?: number | undefined;
  /** 0 is the most urgent; the middle of the model's priorities if left out. */
  priority?: number | undefined;
}

/** Where `infer` puts, before it returns, what cancels the run. */
export interface CancelSlot {
  /** Idempotent; does nothing once the run is done. */
  cancel?: () => void;
}

export interface EngineResult {
  outputs: Record<string, Tensor>;
  timing: InferTiming;
}

export interface Signature {
  inputs: readonly TensorSignature[];
  outputs: readonly TensorSignature[];
}

export type EnginePackOptions = Omit<NativePackOptions, 'intraOpThreads'> &
  Partial<Pick<NativePackOptions, 'intraOpThreads'>>;
export type {
  NativeGpus as Gpus,
  NativePackReport as PackReport,
  NativeSlab as Slab,
} from './binding.js';

const DATATYPE_NAMES = Object.keys(DATATYPES) as Datatype[];
const DATATYPE_NUMBERS = new Map(DATATYPE_NAMES.map((name, number) => [name, number]));

/**
 * Gives this process the lowest priority: `os.setPriority` does not reach threads that run already,
 * and not the disk.
 */
export function lowerPriorityOfProcess(): void {
  loadBinding().lowerPriorityOfProcess();
}

/**
 * For a thread that serves requests: what it and the threads that it starts from now on have to do
 * does not wait until other threads, a load for example, have had a turn of some milliseconds.
 */
export function shortenTimeSlice(): void {
  loadBinding().shortenTimeSlice();
}

/**
 * Lets the system give a core at once, by real-time scheduling, to threads that serve requests and take
 * little of it: see native/core/prompt_thread.h. Where it does not permit that nothing changes.
 */
export function allowPromptThreads(): void {
  loadBinding().allowPromptThreads();
}

/** Whether the system permits it. */
export function arePromptThreadsPermitted(): boolean {
  return loadBinding().arePromptThreadsPermitted();
}

export class Engine {
  /** The short way of plain requests. */
  readonly lane: InferLane;
  readonly #tickets = new Tickets();
  readonly #deadlines = new Deadlines(() => this.#runtime.expire());
  readonly #runtime: NativeRuntime;

  /** Opens ONNX Runtime; throws FAILED_PRECONDITION with the remedy where that fails. */
  constructor(private readonly libraryPath = bundledLibraryPath()) {
    const { Runtime } = loadBinding();
    this.lane = new InferLane(this.#tickets, () => this.#runtime, this.#deadlines);
    this.#runtime = new Runtime(
      libraryPath,
      (events) => this.#tickets.settle(events),
      this.lane.answers,
    );
  }

  get onnxRuntimeVersion(): string {
    return this.#runtime.version;
  }

  /** Differs from that of every other build, of whatever version. */
  get onnxRuntimeBuild(): string {
    const { version, buildInfo } = this.#runtime;
    return `${version}, ${statSync(this.libraryPath).size} bytes, ${buildInfo}`;
  }

  get providers(): readonly string[] {
    return this.#runtime.providers;
  }

  /**
   * Maps and loads a model on the loader thread; `onMapped` is called in between. Rejects with
   * NOT_FOUND, FAILED_PRECONDITION (no valid model), UNIMPLEMENTED (an input or output type that is
   * not served), RESOURCE_EXHAUSTED (it takes more memory than there is), or with CANCELLED, holding
   * nothing, soon after `signal` aborts. Once it is loaded `signal` does nothing.
   */
  async load(
    options: NativeModelOptions,
    onMapped = () => {},
    signal?: AbortSignal,
  ): Promise<EngineModel> {
    if (signal?.aborted) throw loadCancelled(options.modelPath);
    let cancel = () => {};
    const loading = this.#tickets.take<NativeModel>((ticket) => {
      this.#runtime.load(ticket, options);
      cancel = () => this.#runtime.cancelLoad(ticket);
    }, onMapped);
    signal?.addEventListener('abort', cancel);
    try {
      return new EngineModel(await loading, this.#tickets, this.#deadlines);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * Makes the artifact of a model on the loader thread, which does nothing else meanwhile: see
   * native/core/artifact_packer.h. Rejects with NOT_FOUND, FAILED_PRECONDITION (no valid model, or the
   * directory holds an artifact), UNIMPLEMENTED or RESOURCE_EXHAUSTED (the disk is full); then it
   * leaves nothing in the directory.
   */
  async pack({ intraOpThreads = 1, ...paths }: EnginePackOptions): Promise<NativePackReport> {
    return this.#tickets.take<NativePackReport>((ticket) =>
      this.#runtime.pack(ticket, { ...paths, intraOpThreads }),
    );
  }

  /** What NVIDIA's driver shows to this process. Rejects with FAILED_PRECONDITION where there is none. */
  async gpus(driverLibrary?: string): Promise<NativeGpus> {
    return this.#tickets.take<NativeGpus>((ticket) => this.#runtime.gpus(ticket, driverLibrary));
  }

  /** How fast a GPU's memory is reached, measured. Rejects as `load` does for that GPU. */
  async measureCopies(deviceId: number, driverLibrary?: string): Promise<NativeCopySpeed> {
    return this.#tickets.take<NativeCopySpeed>((ticket) =>
      this.#runtime.measureCopies(ticket, deviceId, driverLibrary),
    );
  }

  /**
   * Puts a model's weights into a GPU's memory, for `load` in other processes (`cuda.weights`). Rejects as
   * `load` does for that GPU, and with FAILED_PRECONDITION where the model has none beside it.
   */
  async shareWeights(
    modelPath: string,
    deviceId: number,
    driverLibrary?: string,
  ): Promise<NativeSlab> {
    return this.#tickets.take<NativeSlab>((ticket) =>
      this.#runtime.shareWeights(ticket, modelPath, deviceId, driverLibrary),
    );
  }

  /** Frees what no process has open any more. Rejects with NOT_FOUND. */
  async freeWeights({ handle }: NativeSlab): Promise<void> {
    await this.#tickets.take<undefined>((ticket) => this.#runtime.freeWeights(ticket, handle));
  }

  /**
   * To be called behind what may keep the thread of this environment busy for long: requests of the lane are
   * counted anyway. See `allowPromptThreads`.
   */
  updatePriority(): void {
    this.#runtime.updatePriority();
  }

  /** Ends all native threads. Unload the models first: what is still under way never settles. */
  close(): void {
    this.#deadlines.close();
    this.#runtime.close();
  }
}

/** A loaded model. Its owner calls `unload` exactly once. */
export class EngineModel {
  readonly signature: Signature;
  readonly #tickets: Tickets;
  readonly #inputNames: readonly string[];
  readonly #outputNames: readonly string[];
  readonly #allOutputs: readonly number[];

  constructor(
    readonly native: NativeModel,
    tickets: Tickets,
    private readonly deadlines: Deadlines,
  ) {
    this.#tickets = tickets;
    this.signature = {
      inputs: native.inputs.map(toSignature),
      outputs: native.outputs.map(toSignature),
    };
    this.#inputNames = this.signature.inputs.map((input) => input.name);
    this.#outputNames = this.signature.outputs.map((output) => output.name);
    this.#allOutputs = this.#outputNames.map((_, index) => index);
  }

  /**
   * Runs the model. The inputs are copied before this returns, so views on a buffer that is about
   * to be reused are fine. Rejects with INVALID_ARGUMENT, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED,
   * CANCELLED, UNAVAILABLE (unloaded meanwhile) or what ONNX Runtime reports.
   */
  async infer(request: EngineRequest, slot?: CancelSlot): Promise<EngineResult> {
    const outputs = this.#outputIndices(request.outputs);
    const { datatypes, shapes, data } = this.#inOrder(request.inputs);
    const { deadlineMs, priority } = request;
    const result = await this.#tickets.take<NativeRunResult>((ticket) => {
      this.native.submit(ticket, datatypes, shapes, data, outputs, deadlineMs, priority);
      this.deadlines.expect(deadlineMs);
      if (slot) slot.cancel = () => this.native.cancel(ticket);
    });
    return this.#toResult(result, outputs);
  }

  /** Size of its files, which are mapped as a whole. */
  get mappedBytes(): number {
    return this.native.mappedBytes;
  }

  /** Ends a run that the lane took; does nothing if it is done. */
  cancel(ticket: number): void {
    this.native.cancel(ticket);
  }

  stats(): NativeStats {
    return this.native.stats();
  }

  async memory(): Promise<NativeMemory> {
    return this.#tickets.take<NativeMemory>((ticket) => this.native.memory(ticket));
  }

  /**
   * Of a model that was loaded `unpacked`: makes a session that uses packed weights, and lets it
   * serve from then on. Rejects as `load` does, with CANCELLED once it is unloaded.
   */
  async prepack(): Promise<void> {
    await this.#tickets.take<undefined>((ticket) => this.native.prepack(ticket));
  }

  /** Ends what runs (it fails as UNAVAILABLE), then frees and unmaps everything. */
  async unload(): Promise<void> {
    await this.#tickets.take<undefined>((ticket) => this.native.unload(ticket));
  }

  #inOrder(inputs: Readonly<Record<string, Tensor>>): NativeTensors {
    for (const name in inputs) {
      if (!this.#inputNames.includes(name))
        throw this.#unknownName('input', name, this.#inputNames);
    }
    const tensors = this.#inputNames.map((name) => {
      const tensor = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (tensor) return tensor;
      throw new WarmswapError('INVALID_ARGUMENT', `input '${name}' is missing`);
    });
    return {
      datatypes: tensors.map((tensor) => DATATYPE_NUMBERS.get(tensor.datatype) ?? -1),
      shapes: tensors.map((tensor) => tensor.shape),
      data: tensors.map((tensor) => tensor.data),
    };
  }

  #outputIndices(names: readonly string[] | undefined): readonly number[] {
    if (!names) return this.#allOutputs;
    return names.map((name) => {
      const index = this.#outputNames.indexOf(name);
      if (index < 0) throw this.#unknownName('output', name, this.#outputNames);
      return index;
    });
  }

  #unknownName(role: string, name: string, known: readonly string[]): WarmswapError {
    return new WarmswapError(
      'INVALID_ARGUMENT',
      `there is no ${role} '${name}'; the ${role}s are ${known.join(', ')}`,
    );
  }

  #toResult(result: NativeRunResult, indices: readonly number[]): EngineResult {
    const outputs: Record<string, Tensor> = {};
    indices.forEach((index, i) => {
      outputs[this.#outputNames[index] as string] = {
        datatype: DATATYPE_NAMES[result.datatypes[i] as number] as Datatype,
        shape: result.shapes[i] as readonly number[],
        data: result.data[i] as Tensor['data'],
      };
    });
    const { queueUs, computeUs, batchSize } = result;
    return { outputs, timing: { queueUs, computeUs, batchSize } };
  }
}

function loadCancelled(modelPath: string): WarmswapError {
  return new WarmswapError('CANCELLED', `loading ${modelPath} was cancelled`);
}

function toSignature(spec: NativeTensorSpec): TensorSignature {
  return {
    name: spec.name,
    datatype: DATATYPE_NAMES[spec.datatype] as Datatype,
    shape: spec.shape,
  };
}
