import { describe, expect, test } from 'vitest';
import type { GenerationPlan, VersionFailure } from '../../src/registry/plan.js';
import {
  IDLE,
  step,
  type SwapAction,
  type SwapEvent,
  type SwapState,
} from '../../src/supervisor/swap-coordinator.js';

const PLAN: GenerationPlan = { generation: 4, models: [] };
const ATTEMPT = 9;

const begin = (...workers: number[]): SwapEvent => ({
  type: 'begin',
  attempt: ATTEMPT,
  plan: PLAN,
  strategy: 'load-first',
  workers,
});
const beginWithoutRoom = (...workers: number[]): SwapEvent => ({
  type: 'begin',
  attempt: ATTEMPT,
  plan: PLAN,
  strategy: 'unload-first',
  workers,
});
const prepared = (worker: number, attempt = ATTEMPT): SwapEvent => ({
  type: 'prepared',
  attempt,
  worker,
});
const committed = (worker: number, flipMs = 0, attempt = ATTEMPT): SwapEvent => ({
  type: 'committed',
  attempt,
  worker,
  flipMs,
});
const gone = (worker: number): SwapEvent => ({ type: 'workerGone', worker });
const joined = (worker: number): SwapEvent => ({ type: 'workerJoined', worker });
const timedOut: SwapEvent = { type: 'timedOut', attempt: ATTEMPT };
const superseded: SwapEvent = { type: 'superseded' };

const FAILURE: VersionFailure = {
  model: 'm',
  version: 2,
  key: '2:f',
  code: 'NOT_FOUND',
  reason: 'there is no model.onnx',
};
const prepareFailed = (worker: number, attempt = ATTEMPT): SwapEvent => ({
  type: 'prepareFailed',
  attempt,
  worker,
  failures: [FAILURE],
});

const startTimer: SwapAction = { type: 'startTimer', attempt: ATTEMPT };
const decide: SwapAction = { type: 'decide', plan: PLAN };
const prepare = (worker: number): SwapAction => ({
  type: 'prepare',
  worker,
  attempt: ATTEMPT,
  plan: PLAN,
  unloadsFirst: false,
});
const prepareWithoutRoom = (worker: number): SwapAction => ({
  type: 'prepare',
  worker,
  attempt: ATTEMPT,
  plan: PLAN,
  unloadsFirst: true,
});
const rejoin = (worker: number): SwapAction => ({ type: 'rejoin', worker });
const commit = (worker: number): SwapAction => ({ type: 'commit', worker, attempt: ATTEMPT });
const abort = (worker: number): SwapAction => ({ type: 'abort', worker, attempt: ATTEMPT });
const finishCommitted = (flipMs = 0): SwapAction => ({
  type: 'finish',
  attempt: ATTEMPT,
  result: { outcome: 'committed', flipMs },
});
const finishAborted = (reason: string, failures: VersionFailure[] = []): SwapAction => ({
  type: 'finish',
  attempt: ATTEMPT,
  result: { outcome: 'aborted', reason, failures },
});

/** Where a list of events leads, and the actions of the last of them. */
function after(...events: SwapEvent[]): { state: SwapState; actions: readonly SwapAction[] } {
  let state: SwapState = IDLE;
  let actions: readonly SwapAction[] = [];
  for (const event of events) ({ state, actions } = step(state, event));
  return { state, actions };
}

describe('a swap that goes well', () => {
  test('prepares one worker at a time, each with a timer of its own', () => {
    expect(after(begin(0, 1)).actions).toEqual([startTimer, prepare(0)]);
    expect(after(begin(0, 1), prepared(0)).actions).toEqual([startTimer, prepare(1)]);
  });

  test('is decided before any worker commits, once all are prepared', () => {
    const { actions } = after(begin(0, 1), prepared(0), prepared(1));
    expect(actions).toEqual([decide, startTimer, commit(0), commit(1)]);
  });

  test('ends when all have committed, with the longest flip', () => {
    const events = [begin(0, 1, 2), prepared(0), prepared(1), prepared(2)];
    expect(after(...events, committed(1, 0.5), committed(0, 2)).actions).toEqual([]);
    const end = after(...events, committed(1, 0.5), committed(0, 2), committed(2, 1));
    expect(end).toEqual({ state: IDLE, actions: [finishCommitted(2)] });
  });

  test('without workers is decided and done at once', () => {
    expect(after(begin())).toEqual({
      state: IDLE,
      actions: [decide, startTimer, finishCommitted()],
    });
  });
});

describe('without room for two generations', () => {
  test('one worker prepares, and the others rejoin once that has decided', () => {
    expect(after(beginWithoutRoom(0, 1, 2)).actions).toEqual([startTimer, prepareWithoutRoom(0)]);
    expect(after(beginWithoutRoom(0, 1, 2), prepared(0)).actions).toEqual([
      ...[decide, startTimer, commit(0)],
      ...[1, 2].map(rejoin),
    ]);
  });

  test('it ends when the one has committed and the others have joined or ended', () => {
    const events = [beginWithoutRoom(0, 1, 2), prepared(0)];
    expect(after(...events, joined(2), committed(0, 3)).actions).toEqual([]);
    const end = { state: IDLE, actions: [finishCommitted(3)] };
    expect(after(...events, joined(2), committed(0, 3), joined(1))).toEqual(end);
    expect(after(...events, joined(2), committed(0, 3), gone(1))).toEqual(end);
  });

  test('a worker that joins before the decision rejoins with the others', () => {
    const { actions } = after(beginWithoutRoom(0), joined(4), prepared(0));
    expect(actions).toEqual([decide, startTimer, commit(0), rejoin(4)]);
  });

  test('the others serve on if the one cannot prepare', () => {
    expect(after(beginWithoutRoom(0, 1), prepareFailed(0))).toEqual({
      state: IDLE,
      actions: [abort(0), finishAborted('worker 0 could not prepare', [FAILURE])],
    });
  });

  test('those that take too long to rejoin are replaced', () => {
    const events = [beginWithoutRoom(0, 1, 2), prepared(0), committed(0), joined(2)];
    expect(after(...events, timedOut)).toEqual({
      state: IDLE,
      actions: [{ type: 'replace', worker: 1 }, finishCommitted()],
    });
  });
});

describe('before the decision the swap is given up', () => {
  const aborted = (events: SwapEvent[], workers: number[], reason: string) => {
    expect(after(...events)).toEqual({
      state: IDLE,
      actions: [...workers.map(abort), finishAborted(reason)],
    });
  };

  test('when a worker cannot prepare, with its reasons', () => {
    expect(after(begin(0, 1, 2), prepared(0), prepareFailed(1))).toEqual({
      state: IDLE,
      actions: [abort(0), abort(1), finishAborted('worker 1 could not prepare', [FAILURE])],
    });
  });

  test('when a worker takes too long, which is replaced because its loader is stuck', () => {
    expect(after(begin(3, 1), prepared(3), timedOut)).toEqual({
      state: IDLE,
      actions: [
        { type: 'replace', worker: 1 },
        ...[3, 1].map(abort),
        finishAborted('worker 1 took too long to prepare'),
      ],
    });
  });

  test('when the worker that prepares ends', () => {
    aborted([begin(0, 1), prepared(0), gone(1)], [0, 1], 'worker 1 ended while preparing');
  });

  test('when a newer generation waits', () => {
    aborted([begin(0, 1), superseded], [0], 'a newer generation began');
    aborted([begin(0, 1), prepared(0), superseded], [0, 1], 'a newer generation began');
  });
});

describe('before the decision', () => {
  test('a worker that waits and ends is left out', () => {
    expect(after(begin(0, 1), gone(1)).actions).toEqual([]);
    expect(after(begin(0, 1), gone(1), prepared(0)).actions).toEqual([
      decide,
      startTimer,
      commit(0),
    ]);
  });

  test('a prepared worker that ends is left out, also of an abort', () => {
    const events = [begin(0, 1), prepared(0), gone(0)];
    expect(after(...events, prepared(1)).actions).toEqual([decide, startTimer, commit(1)]);
    expect(after(...events, superseded).actions).toEqual([
      abort(1),
      finishAborted('a newer generation began'),
    ]);
  });

  test('a worker that joins takes part, also one that was prepared before it ended', () => {
    const events = [begin(0), joined(1), prepared(0)];
    expect(after(...events).actions).toEqual([startTimer, prepare(1)]);
    expect(after(...events, gone(0), joined(0), prepared(1)).actions).toEqual([
      startTimer,
      prepare(0),
    ]);
    expect(after(...events, gone(0), joined(0), prepared(1), prepared(0)).actions).toEqual([
      decide,
      startTimer,
      commit(1),
      commit(0),
    ]);
  });

  test.each([
    ['a worker that has its turn later', prepared(1)],
    ['a worker that takes no part', prepared(7)],
    ['an attempt before', prepared(0, ATTEMPT - 1)],
    ['a commit that was not asked for', committed(0)],
    ['a failure of an attempt before', prepareFailed(0, ATTEMPT - 1)],
    ['a failure of a worker that has its turn later', prepareFailed(1)],
    ['the timer of an attempt before', { type: 'timedOut', attempt: ATTEMPT - 1 } as const],
    ['the end of a worker that takes no part', gone(7)],
  ])('a message of %s changes nothing', (_, event) => {
    const { state } = after(begin(0, 1));
    expect(step(state, event)).toEqual({ state, actions: [] });
  });
});

describe('after the decision', () => {
  const decided = [begin(0, 1), prepared(0), prepared(1)];

  test.each([
    ['a newer generation that waits', superseded],
    ['a worker that joins, since it has the decided generation', joined(2)],
    ['a second "prepared"', prepared(0)],
    ['a late failure', prepareFailed(0)],
    ['a commit of an attempt before', committed(0, 0, ATTEMPT - 1)],
    ['the timer of an attempt before', { type: 'timedOut', attempt: ATTEMPT - 1 } as const],
    ['the end of a worker that takes no part', gone(7)],
    ['a commit of a worker that takes no part', committed(7)],
  ])('%s changes nothing', (_, event) => {
    const { state } = after(...decided);
    expect(step(state, event)).toEqual({ state, actions: [] });
  });

  test('a worker that ends needs no acknowledgement', () => {
    expect(after(...decided, gone(0), committed(1, 3))).toEqual({
      state: IDLE,
      actions: [finishCommitted(3)],
    });
    expect(after(...decided, gone(0), gone(1)).actions).toEqual([finishCommitted()]);
  });

  test('an acknowledgement counts once', () => {
    expect(after(...decided, committed(0), committed(0)).actions).toEqual([]);
  });

  test('workers that do not acknowledge in time are replaced, and the swap is committed', () => {
    expect(after(...decided, committed(1, 2), timedOut)).toEqual({
      state: IDLE,
      actions: [{ type: 'replace', worker: 0 }, finishCommitted(2)],
    });
  });
});

describe('while idle', () => {
  test.each([
    prepared(0),
    prepareFailed(0),
    committed(0),
    timedOut,
    superseded,
    gone(0),
    joined(0),
  ])('$type does nothing', (event) => {
    expect(step(IDLE, event)).toEqual({ state: IDLE, actions: [] });
  });
});

test.each([
  ['prepares', [begin(0)]],
  ['commits', [begin(0), prepared(0)]],
])('a swap cannot begin while another one %s', (_, events) => {
  const { state } = after(...events);
  expect(() => step(state, begin(0))).toThrow('another one is under way');
});
