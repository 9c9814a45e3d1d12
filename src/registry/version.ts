import { WarmswapError } from '../rpc/errors.js';
import type { NativeStats } from '../native/binding.js';
import type {
  CancelSlot,
  EngineModel,
  EngineRequest,
  EngineResult,
  Signature,
} from '../native/engine.js';
import type { ModelMemory } from '../rpc/methods.js';
import { CircuitBreaker, type BreakerState } from './circuit-breaker.js';
import type { VersionPlan } from './plan.js';
import { Recent } from './recent.js';
import { RequestRecorder } from './request-recorder.js';
import { outcomeOf } from './run-outcome.js';
import { transition, type VersionState } from './version-state.js';

/** Where the requests of a warm-up come from: clients, the version's folder, or its signature. */
export type WarmUpSource = 'recorded' | 'files' | 'generated';

export interface VersionTimes {
  loadMs: number;
  warmMs: number;
}

/** Measuring takes milliseconds a gigabyte: not for every client that asks. */
const MEMORY_AGE_MS = 1000;
const NO_MEMORY: ModelMemory = { mappedBytes: 0, residentBytes: 0, privateBytes: 0 };

/**
 * One version in this worker, from the moment it is planned until it is retired. Requests hold
 * leases on it; its model is unloaded only when there are none.
 */
export class Version {
  times: VersionTimes = { loadMs: 0, warmMs: 0 };
  /** Size of the mapped files, once they are. */
  mappedBytes = 0;
  /** What the warm-up ran; nothing if it is turned off. */
  warmUpSource: WarmUpSource | undefined;
  /** Why the warm-up failed, where it did. */
  warmUpProblem: string | undefined;
  /** Where the warm-up gave NaN, and the active version did not. */
  nanProblem: string | undefined;
  /** It serves already, slower than it will once `prepack` has ended. */
  isUnpacked = false;
  /** Why it stays so, where that failed. */
  prepackProblem: string | undefined;
  /** Why it does not use the same weights in the GPU's memory as other workers, where it was to. */
  weightsProblem: string | undefined;
  /** Called once its model is unloaded: what that used is used no more. */
  onUnloaded: (() => void) | undefined;
  /** What clients asked lately: the version after this one is warmed with it. */
  readonly recorder = new RequestRecorder();
  /** Keeps requests away while it fails, if model.yaml asks for that. */
  readonly breaker: CircuitBreaker | undefined;
  #state: VersionState = 'discovered';
  #model: EngineModel | undefined;
  #signature: Signature | undefined;
  #leases = 0;
  #onIdle: (() => void) | undefined;
  readonly #memory = new Recent(() => this.#measureMemory(), MEMORY_AGE_MS);

  constructor(
    readonly name: string,
    readonly plan: VersionPlan,
    onBreakerChange: (version: Version, state: BreakerState) => void = () => {},
  ) {
    const { breaker } = plan.options;
    if (!breaker) return;
    this.breaker = new CircuitBreaker(breaker, (state) => onBreakerChange(this, state));
  }

  /** Whether its breaker lets a request through now. */
  get admits(): boolean {
    return !this.breaker || this.breaker.retryAfterMs === 0;
  }

  /** What was wrong with it, where it serves nevertheless. */
  get problem(): string | undefined {
    return this.warmUpProblem ?? this.nanProblem ?? this.prepackProblem ?? this.weightsProblem;
  }

  get number(): number {
    return this.plan.version;
  }

  get state(): VersionState {
    return this.#state;
  }

  /** It served, and is unloaded or about to be. */
  get isAway(): boolean {
    return this.#state === 'draining' || this.#state === 'retired';
  }

  get leases(): number {
    return this.#leases;
  }

  /** The signature, also of one that is unloaded; throws before the model is loaded. */
  get signature(): Signature {
    return this.#signature ?? this.#loaded().signature;
  }

  moveTo(state: VersionState): void {
    this.#state = transition(this.#state, state);
  }

  /** The loaded model, for the lane; throws before it is loaded. */
  get model(): EngineModel {
    return this.#loaded();
  }

  /** Takes ownership of the loaded model. */
  attach(model: EngineModel): void {
    this.#model = model;
    this.#signature = model.signature;
  }

  /** Takes the packed weights into use, while it serves. Never rejects: see `prepackProblem`. */
  async prepack(): Promise<void> {
    const model = this.#model;
    try {
      await model?.prepack();
      this.isUnpacked = false;
    } catch (error) {
      // One that is being unloaded has no need of it.
      if (this.#model)
        this.prepackProblem = `its weights stay unpacked: ${(error as Error).message}`;
    }
  }

  /** Since it was loaded, warm-up included; none while nothing is loaded. */
  get statistics(): NativeStats | undefined {
    return this.#model?.stats();
  }

  /** At most a second old; zeros while nothing is loaded. Never waits for a load, never rejects. */
  async memory(): Promise<ModelMemory> {
    return this.#model ? this.#memory.get() : NO_MEMORY;
  }

  /**
   * Runs one request under a lease of its own. The lease is taken, and the inputs are copied, before
   * this returns; what cancels the run is in `slot` then. While the version is warming, it is no
   * client's request: it is not recorded, and has no deadline by default. Rejects with UNAVAILABLE
   * while the breaker is open.
   */
  async infer(request: EngineRequest, slot?: CancelSlot): Promise<EngineResult> {
    if (this.#state === 'warming' || !this.breaker) return this.#infer(request, slot);
    const { breaker } = this;
    this.#refuseWhileBroken(breaker);
    const epoch = breaker.begin();
    try {
      const result = await this.#infer(request, slot);
      breaker.end(epoch, 'succeeded');
      return result;
    } catch (error) {
      breaker.end(epoch, outcomeOf(error));
      throw error;
    }
  }

  #refuseWhileBroken({ retryAfterMs }: CircuitBreaker): void {
    if (retryAfterMs === 0) return;
    throw new WarmswapError(
      'UNAVAILABLE',
      `version ${this.number} of '${this.name}' has failed too often; it is tried again soon`,
      { details: { retryAfterMs } },
    );
  }

  async #infer(request: EngineRequest, slot?: CancelSlot): Promise<EngineResult> {
    const model = this.#loaded();
    this.lease();
    try {
      if (this.#state === 'warming') return await model.infer(request, slot);
      const { inputs, outputs, priority } = request;
      const deadlineMs = request.deadlineMs ?? this.plan.options.deadlineMs;
      const answer = model.infer({ inputs, outputs, priority, deadlineMs }, slot);
      if (this.recorder.due()) this.recorder.record(inputs, answer);
      return await answer;
    } finally {
      this.release();
    }
  }

  /** As `infer`, for no client: it is not recorded, and has no deadline by default. */
  async rehearse(request: EngineRequest): Promise<EngineResult> {
    const model = this.#loaded();
    this.lease();
    try {
      return await model.infer(request);
    } finally {
      this.release();
    }
  }

  /** Takes a lease for a request that runs by the lane; `release` gives it back. */
  lease(): void {
    this.#leases++;
  }

  /** Ends a run of the lane's; does nothing if it is done. */
  cancel(ticket: number): void {
    this.#model?.cancel(ticket);
  }

  release(): void {
    this.#leases--;
    if (this.#leases === 0) this.#onIdle?.();
  }

  /**
   * Waits until nobody holds a lease, at most `timeoutMs`, then unloads. Whoever still has one after
   * that gets UNAVAILABLE; nothing is unmapped under a run even then. Returns whether it was idle.
   */
  async retire(timeoutMs: number): Promise<boolean> {
    this.moveTo('draining');
    const wasIdle = await this.#idleWithin(timeoutMs);
    await this.#unload();
    this.moveTo('retired');
    return wasIdle;
  }

  /** Gives up a version that never became ready. */
  async discard(): Promise<void> {
    this.moveTo('failed');
    await this.#unload();
  }

  async #measureMemory(): Promise<ModelMemory> {
    // It may be unloaded meanwhile.
    const measured = await this.#model?.memory().catch(() => undefined);
    if (!measured) return NO_MEMORY;
    const { mappedBytes, residentBytes, privateBytes, deviceBytes } = measured;
    const { artifact } = this.plan;
    // The packer has not measured a session on a GPU.
    const packed = artifact?.device ? undefined : artifact?.privateBytes;
    return {
      ...{ mappedBytes, residentBytes, privateBytes: packed ?? privateBytes },
      ...(deviceBytes === undefined ? {} : { deviceBytes }),
    };
  }

  async #unload(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.unload();
    this.onUnloaded?.();
    this.onUnloaded = undefined;
  }

  #idleWithin(timeoutMs: number): Promise<boolean> {
    if (this.#leases === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #loaded(): EngineModel {
    if (this.#model) return this.#model;
    throw new WarmswapError('UNAVAILABLE', `version ${this.number} of ${this.name} is not loaded`);
  }
}
