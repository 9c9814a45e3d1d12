import type { SwapStrategy } from '../config/schema.js';
import type { GenerationPlan, VersionFailure } from '../registry/plan.js';

/**
 * The two-phase commit of a generation over all workers as a pure reducer: events in, actions out.
 * PREPARE goes to one worker at a time, so that the others keep the capacity; once all are prepared
 * the generation is decided, and COMMIT goes to all. A worker that joins before that takes part; one
 * that joins later has to bring itself to the decided generation. Events of an attempt that is over are ignored.
 *
 * With `unload-first` a worker has no room for two generations: it prepares one in the place of the other. The
 * first worker does so alone, while the others serve on; once it is prepared the generation is decided, and the
 * others rejoin at it, all at once because what they serve is committed no more.
 */

export type WorkerId = number;

export type SwapState =
  | { phase: 'idle' }
  | {
      phase: 'preparing';
      attempt: number;
      plan: GenerationPlan;
      strategy: SwapStrategy;
      preparing: WorkerId;
      waiting: readonly WorkerId[];
      prepared: readonly WorkerId[];
    }
  | {
      phase: 'committing';
      attempt: number;
      plan: GenerationPlan;
      /** Have not committed, or not rejoined. */
      unacknowledged: readonly WorkerId[];
      flipMs: number;
    };

export type SwapEvent =
  /** Only while idle. */
  | {
      type: 'begin';
      attempt: number;
      plan: GenerationPlan;
      strategy: SwapStrategy;
      workers: readonly WorkerId[];
    }
  | { type: 'prepared'; attempt: number; worker: WorkerId }
  | {
      type: 'prepareFailed';
      attempt: number;
      worker: WorkerId;
      failures: readonly VersionFailure[];
    }
  | { type: 'committed'; attempt: number; worker: WorkerId; flipMs: number }
  | { type: 'timedOut'; attempt: number }
  /** A newer generation waits: give up unless this one is decided. */
  | { type: 'superseded' }
  /** At the generation that is committed now. */
  | { type: 'workerJoined'; worker: WorkerId }
  | { type: 'workerGone'; worker: WorkerId };

export type SwapAction =
  | {
      type: 'prepare';
      worker: WorkerId;
      attempt: number;
      plan: GenerationPlan;
      unloadsFirst: boolean;
    }
  /** The generation is committed from here on, whatever becomes of a worker. */
  | { type: 'decide'; plan: GenerationPlan }
  | { type: 'commit'; worker: WorkerId; attempt: number }
  | { type: 'abort'; worker: WorkerId; attempt: number }
  /** The worker is to serve the decided generation instead of its own; `workerJoined` follows. */
  | { type: 'rejoin'; worker: WorkerId }
  /** (Re)start the one timer; it sends `timedOut`. */
  | { type: 'startTimer'; attempt: number }
  /** The worker does not answer: end it, another one joins at the committed generation. */
  | { type: 'replace'; worker: WorkerId }
  | { type: 'finish'; attempt: number; result: SwapResult };

export type SwapResult =
  | { outcome: 'committed'; flipMs: number }
  | { outcome: 'aborted'; reason: string; failures: readonly VersionFailure[] };

export interface SwapStep {
  state: SwapState;
  actions: readonly SwapAction[];
}

type Preparing = Extract<SwapState, { phase: 'preparing' }>;
type Committing = Extract<SwapState, { phase: 'committing' }>;
type Begin = Extract<SwapEvent, { type: 'begin' }>;

export const IDLE: SwapState = { phase: 'idle' };

export function step(state: SwapState, event: SwapEvent): SwapStep {
  if (event.type === 'begin') return begin(state, event);
  switch (state.phase) {
    case 'idle':
      return { state, actions: [] };
    case 'preparing':
      return stepPreparing(state, event);
    case 'committing':
      return stepCommitting(state, event);
  }
}

function begin(state: SwapState, { attempt, plan, strategy, workers }: Begin): SwapStep {
  if (state.phase !== 'idle') throw new Error('a swap began while another one is under way');
  const [first, ...waiting] = workers;
  const nobody = { attempt, plan, strategy, prepared: [] };
  return first === undefined ? decide(nobody, []) : prepareNext(nobody, first, waiting);
}

function stepPreparing(state: Preparing, event: Exclude<SwapEvent, Begin>): SwapStep {
  if (event.type === 'workerJoined') {
    return { state: { ...state, waiting: [...state.waiting, event.worker] }, actions: [] };
  }
  if (event.type === 'workerGone') return loseWorker(state, event.worker);
  if (event.type === 'superseded') return abort(state, 'a newer generation began');
  const isCurrent = event.attempt === state.attempt;
  if (isCurrent && event.type === 'timedOut') {
    return replaceStuck(state);
  }
  if (!isCurrent || event.type === 'timedOut' || event.worker !== state.preparing) {
    return { state, actions: [] };
  }
  if (event.type === 'prepareFailed') {
    return abort(state, `worker ${event.worker} could not prepare`, event.failures);
  }
  if (event.type === 'committed') return { state, actions: [] };
  return advance({ ...state, prepared: [...state.prepared, event.worker] });
}

/** A load that does not end blocks every later one in that worker. */
function replaceStuck(state: Preparing): SwapStep {
  const worker = state.preparing;
  const step = abort(state, `worker ${worker} took too long to prepare`);
  return { state: step.state, actions: [{ type: 'replace', worker }, ...step.actions] };
}

function loseWorker(state: Preparing, worker: WorkerId): SwapStep {
  if (worker === state.preparing) return abort(state, `worker ${worker} ended while preparing`);
  const remaining = (workers: readonly WorkerId[]) => workers.filter((id) => id !== worker);
  const next = { ...state, waiting: remaining(state.waiting), prepared: remaining(state.prepared) };
  return { state: next, actions: [] };
}

function advance(state: Preparing): SwapStep {
  const [next, ...waiting] = state.waiting;
  if (state.strategy === 'unload-first' || next === undefined) return decide(state, state.waiting);
  return prepareNext(state, next, waiting);
}

type Attempt = Pick<Preparing, 'attempt' | 'plan' | 'strategy' | 'prepared'>;

function prepareNext(
  { attempt, plan, strategy, prepared }: Attempt,
  worker: WorkerId,
  waiting: readonly WorkerId[],
): SwapStep {
  return {
    state: { phase: 'preparing', attempt, plan, strategy, preparing: worker, waiting, prepared },
    actions: [
      { type: 'startTimer', attempt },
      { type: 'prepare', worker, attempt, plan, unloadsFirst: strategy === 'unload-first' },
    ],
  };
}

function decide({ attempt, plan, prepared }: Attempt, rejoining: readonly WorkerId[]): SwapStep {
  const state: Committing = {
    phase: 'committing',
    attempt,
    plan,
    unacknowledged: [...prepared, ...rejoining],
    flipMs: 0,
  };
  const commits = prepared.map((worker) => ({ type: 'commit', worker, attempt }) as const);
  const rejoins = rejoining.map((worker) => ({ type: 'rejoin', worker }) as const);
  const settled = settle(state);
  const actions: SwapAction[] = [
    { type: 'decide', plan },
    { type: 'startTimer', attempt },
  ];
  return {
    state: settled.state,
    actions: [...actions, ...commits, ...rejoins, ...settled.actions],
  };
}

function abort(
  state: Preparing,
  reason: string,
  failures: readonly VersionFailure[] = [],
): SwapStep {
  const { attempt } = state;
  const aborts = [...state.prepared, state.preparing].map(
    (worker) => ({ type: 'abort', worker, attempt }) as const,
  );
  const result: SwapResult = { outcome: 'aborted', reason, failures };
  return { state: IDLE, actions: [...aborts, { type: 'finish', attempt, result }] };
}

function stepCommitting(state: Committing, event: Exclude<SwapEvent, Begin>): SwapStep {
  if (event.type === 'workerGone' || event.type === 'workerJoined') {
    return acknowledge(state, event.worker, 0);
  }
  if (event.type === 'superseded') return { state, actions: [] };
  if (event.attempt !== state.attempt) return { state, actions: [] };
  if (event.type === 'committed') return acknowledge(state, event.worker, event.flipMs);
  if (event.type !== 'timedOut') return { state, actions: [] };
  const replaced = state.unacknowledged.map((worker) => ({ type: 'replace', worker }) as const);
  const settled = settle({ ...state, unacknowledged: [] });
  return { state: settled.state, actions: [...replaced, ...settled.actions] };
}

function acknowledge(state: Committing, worker: WorkerId, flipMs: number): SwapStep {
  return settle({
    ...state,
    unacknowledged: state.unacknowledged.filter((id) => id !== worker),
    flipMs: Math.max(state.flipMs, flipMs),
  });
}

function settle(state: Committing): SwapStep {
  if (state.unacknowledged.length > 0) return { state, actions: [] };
  const { attempt, flipMs } = state;
  const result: SwapResult = { outcome: 'committed', flipMs };
  return { state: IDLE, actions: [{ type: 'finish', attempt, result }] };
}
