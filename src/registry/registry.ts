import type { Device } from '../config/device.js';
import type { CancelSlot, Engine } from '../native/engine.js';
import type { InferLane } from '../native/infer-lane.js';
import { WarmswapError } from '../rpc/errors.js';
import { Absences } from './absences.js';
import { failure, PrepareError, refusal, RestoreError } from './failures.js';
import { gateFailures } from './gate-failures.js';
import { goldenProblem } from './golden.js';
import { loadVersion } from './load-version.js';
import type { BreakerState } from './circuit-breaker.js';
import { ModelSet, type Route } from './model-set.js';
import type { GenerationPlan, VersionFailure, VersionPlan } from './plan.js';
import { plannedSet } from './planned-set.js';
import { Version } from './version.js';
import type { WeightSource } from './weight-source.js';

export type { Accepted, AnswerHolder, AnswerSink, Frame } from '../native/infer-lane.js';

export interface RegistryOptions {
  /** Of the worker. */
  device: Device;
  drainTimeoutMs: number;
  /** See LoadContext. */
  weights?: WeightSource;
  /** A version's breaker has opened, closed, or lets a request through to try. */
  onBreakerChange?: (version: Version, state: BreakerState) => void;
}

interface Prepared {
  attempt: number;
  set: ModelSet;
  /** Loaded for this attempt; the rest of the set was served already. */
  fresh: readonly Version[];
  /** Versions of the current set were unloaded for it, and come back if it is given up. */
  isRestorable: boolean;
}

/**
 * The versions of this worker. Generations change in two phases: `prepare` loads what is new, `commit`
 * makes it current by one assignment, `abort` gives it up. The new versions are loaded beside the old
 * ones, or instead of them where there is no room for both: requests for those wait until one of the
 * two is there.
 */
export class Registry {
  #current = new ModelSet(0, new Map());
  #attempt = 0;
  #prepared: Prepared | undefined;
  readonly #loading = new Set<Version>();
  /** By attempt under way: what ends its loads. */
  readonly #cancels = new Map<number, AbortController>();
  /** Those for which prepacking has begun. */
  readonly #prepacked = new WeakSet<Version>();
  readonly #retiring = new Map<Version, Promise<boolean>>();
  #laneRoutes: readonly Route[] = [];
  readonly #absences = new Absences();
  readonly #closing = new AbortController();
  /** Until then versions of the current set are away, and may come back. Never rejects. */
  #restored: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    private readonly options: RegistryOptions,
  ) {}

  get current(): ModelSet {
    return this.#current;
  }

  /** The lane, whose routes are `laneRoutes`. */
  get lane(): InferLane {
    return this.engine.lane;
  }

  /** Those of `current`, but for versions whose breaker is not closed. */
  get laneRoutes(): readonly Route[] {
    return this.#laneRoutes;
  }

  /** Every version that takes memory or is being made, also those on their way out. */
  *allVersions(): Generator<Version> {
    for (const version of this.#current.versions()) if (!version.isAway) yield version;
    yield* this.#loading;
    yield* this.#prepared?.fresh ?? [];
    yield* this.#retiring.keys();
  }

  /**
   * Resolves when a version that is away has been replaced, or is back: what is current then may be
   * another one. Rejects as WaitingRoom.wait does, and with UNAVAILABLE if this worker ends.
   */
  returned(version: Version, deadlineMs: number | undefined, slot: CancelSlot): Promise<void> {
    return this.#absences.wait(version, deadlineMs, slot);
  }

  /**
   * Loads what `plan` has and this worker has not, and gives what it loaded. A later call or `abort`
   * supersedes it and cancels its loads. Rejects with a PrepareError; then nothing has changed. With
   * `unloadsFirst` what `plan` has not is unloaded before, and loaded again if the attempt fails or is
   * given up, unless the plan is committed; rejects with a RestoreError if that fails.
   */
  async prepare(
    attempt: number,
    plan: GenerationPlan,
    unloadsFirst = false,
  ): Promise<readonly Version[]> {
    const superseded = this.#attempt;
    this.#attempt = attempt;
    await this.abort(superseded);
    await this.#restored;
    const prepared = this.#prepare(attempt, plan, unloadsFirst);
    if (unloadsFirst) this.#restored = prepared.catch(() => {});
    return prepared;
  }

  async #prepare(
    attempt: number,
    plan: GenerationPlan,
    unloadsFirst: boolean,
  ): Promise<readonly Version[]> {
    const set = plannedSet(plan, this.#current, this.#newVersion);
    const fresh = [...set.versions()].filter((version) => version.state === 'discovered');
    const makesRoom = unloadsFirst && fresh.length > 0 && this.#attempt === attempt;
    if (makesRoom) await this.#makeRoom(set);
    const isRestorable = makesRoom && !plan.isCommitted;
    const failures = await this.#loadAll(attempt, fresh);
    if (!plan.isCommitted) {
      failures.push(...(await this.#goldenFailures(attempt, fresh)));
      failures.push(...gateFailures({ plan, set, fresh, current: this.#current }));
    }
    for (const version of fresh) this.#loading.delete(version);
    if (failures.length > 0 || this.#attempt !== attempt) {
      await this.#retireAll(fresh.filter((version) => version.state === 'ready'));
      if (isRestorable) await this.#restore(failures);
      throw new PrepareError(failures);
    }
    this.#prepared = { attempt, set, fresh, isRestorable };
    return fresh;
  }

  /**
   * Makes the prepared generation current; requests that have begun finish where they began.
   * Returns the milliseconds that the flip took. Throws FAILED_PRECONDITION if another attempt is
   * prepared.
   */
  commit(attempt: number): number {
    const prepared = this.#prepared;
    if (prepared?.attempt !== attempt) {
      throw new WarmswapError('FAILED_PRECONDITION', `attempt ${attempt} is not prepared`);
    }
    const started = performance.now();
    const previous = this.#current;
    this.#current = prepared.set;
    this.#prepared = undefined;
    this.#routeLane();
    this.#markActive(previous);
    this.#absences.end();
    const flipMs = performance.now() - started;
    void this.#retireAll(droppedBy(prepared.set, previous));
    void this.#prepackAll();
    return flipMs;
  }

  /**
   * Gives up an attempt, prepared or under way. Does nothing for any other. Rejects with a RestoreError
   * if what was unloaded for it cannot be loaded again.
   */
  async abort(attempt: number): Promise<void> {
    if (this.#attempt === attempt) this.#attempt = 0;
    this.#cancels.get(attempt)?.abort();
    if (this.#prepared?.attempt !== attempt) return;
    const { fresh, isRestorable } = this.#prepared;
    this.#prepared = undefined;
    const done = this.#retireAll(fresh).then(() => (isRestorable ? this.#restore([]) : undefined));
    if (isRestorable) this.#restored = done.catch(() => {});
    await done;
  }

  /** No request waits any more, now or later: this worker is shutting down. */
  refuseWaiting(): void {
    this.#absences.close();
  }

  /** Cancels what is being loaded; drains and unloads everything else. */
  async close(): Promise<void> {
    this.refuseWaiting();
    this.#closing.abort();
    await this.abort(this.#attempt);
    const last = this.#current;
    this.#current = new ModelSet(last.generation, new Map());
    this.#routeLane();
    await this.#retireAll([...last.versions()].filter(({ isAway }) => !isAway));
    await Promise.all(this.#retiring.values());
  }

  /** One after the other, those that requests get first; it ends when nothing is left to do. */
  async #prepackAll(): Promise<void> {
    const isDue = (version: Version) => version.isUnpacked && !this.#prepacked.has(version);
    const next = () => [...this.#current.versions()].filter(isDue).sort(activeFirst)[0];
    for (let version = next(); version; version = next()) {
      this.#prepacked.add(version);
      await version.prepack();
    }
  }

  /** Unloads what `set` has not. Requests for that wait from now on. */
  async #makeRoom(set: ModelSet): Promise<void> {
    const dropped = droppedBy(set, this.#current);
    this.#absences.begin(dropped);
    const retired = this.#retireAll(dropped);
    this.#current = this.#current.withVersions(new Map());
    this.#routeLane();
    await retired;
  }

  /** Loads again what is away, as it was: it has passed its gates before. */
  async #restore(failures: readonly VersionFailure[]): Promise<void> {
    const { signal } = this.#closing;
    const away = [...this.#current.versions()].filter(({ isAway }) => isAway);
    const again = new Map(
      away.map((version) => [version, this.#newVersion(version.name, version.plan)]),
    );
    for (const version of again.values()) {
      const error = signal.aborted ? undefined : await this.#load(version, signal);
      if (error !== undefined && !signal.aborted) throw new RestoreError(failures, error);
    }
    for (const version of again.values()) this.#loading.delete(version);
    if (signal.aborted) return this.#retireAll([...again.values()].filter(isReady));
    const previous = this.#current;
    this.#current = previous.withVersions(again);
    this.#routeLane();
    this.#markActive(previous);
    this.#absences.end();
    void this.#prepackAll();
  }

  #routeLane(): void {
    const isOpen = ({ target }: Route) => (target.breaker?.state ?? 'closed') === 'closed';
    this.#laneRoutes = this.#current.routes.filter(isOpen);
    const routes = this.#laneRoutes.map(({ model, version, label, target }) => ({
      ...{ model, version, label },
      servedVersion: target.number,
      target: target.model.native,
      deadlineMs: target.plan.options.deadlineMs,
    }));
    this.engine.lane.setRoutes(routes);
  }

  readonly #newVersion = (name: string, plan: VersionPlan): Version =>
    new Version(name, plan, (version, state) => {
      if (this.#current.has(version)) this.#routeLane();
      this.options.onBreakerChange?.(version, state);
    });

  async #loadAll(attempt: number, versions: readonly Version[]): Promise<VersionFailure[]> {
    const failures: VersionFailure[] = [];
    const cancel = new AbortController();
    this.#cancels.set(attempt, cancel);
    for (const version of versions) {
      if (this.#attempt !== attempt) break;
      const error = await this.#load(version, cancel.signal);
      if (error !== undefined && !cancel.signal.aborted) failures.push(failure(version, error));
    }
    this.#cancels.delete(attempt);
    return failures;
  }

  /** Gives the error if it failed; then the version holds nothing. */
  async #load(version: Version, signal: AbortSignal): Promise<unknown> {
    const { engine, options } = this;
    const context = { engine, device: options.device, weights: options.weights };
    this.#loading.add(version);
    try {
      await loadVersion(context, version, () => this.#activeOf(version.name), signal);
      return undefined;
    } catch (error) {
      this.#loading.delete(version);
      return error;
    }
  }

  async #goldenFailures(attempt: number, fresh: readonly Version[]): Promise<VersionFailure[]> {
    const failures: VersionFailure[] = [];
    for (const version of fresh) {
      if (this.#attempt !== attempt) break;
      if (version.state !== 'ready') continue;
      failures.push(...refusal(version, await goldenProblem(version)));
    }
    return failures;
  }

  #activeOf(name: string): Version | undefined {
    return this.#current.models.get(name)?.active;
  }

  #markActive(previous: ModelSet): void {
    for (const version of previous.versions()) {
      if (version.state === 'active' && !this.#current.isActive(version)) version.moveTo('ready');
    }
    for (const version of this.#current.versions()) {
      if (version.state === 'ready' && this.#current.isActive(version)) version.moveTo('active');
    }
  }

  async #retireAll(versions: readonly Version[]): Promise<void> {
    await Promise.all(
      versions.map(async (version) => {
        const retiring = version.retire(this.options.drainTimeoutMs);
        this.#retiring.set(version, retiring);
        await retiring;
        this.#retiring.delete(version);
      }),
    );
  }
}

function isReady({ state }: Version): boolean {
  return state === 'ready';
}

/** Versions of `before` that `after` has not, but for those that are away already. */
function droppedBy(after: ModelSet, before: ModelSet): Version[] {
  return [...before.versions()].filter((version) => !after.has(version) && !version.isAway);
}

function activeFirst(a: Version, b: Version): number {
  return Number(b.state === 'active') - Number(a.state === 'active');
}
