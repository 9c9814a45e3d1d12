/** How many workers there should be, as a pure function of what they report. */

/** What the ready workers reported at one moment, summed up. */
export interface LoadSample {
  workers: number;
  /** Requests that wait for a run to end. */
  queued: number;
  /** Runs under way. */
  running: number;
  /** Of the JavaScript threads: 1 is one that was busy all the time since the last sample. */
  busyThreads: number;
}

export interface ElasticPolicy {
  min: number;
  max: number;
  /** Samples that a decision needs. */
  upSamples: number;
  downSamples: number;
}

export interface SizeDecision {
  change: -1 | 0 | 1;
  /** What the next decision is made from, besides the next sample. */
  history: readonly LoadSample[];
}

/** Waiting requests for each worker that mean that there are too few. */
const QUEUED_FOR_MORE = 1;
const BUSY_FOR_MORE = 0.9;
/** The load for each of the workers that would be left; far below what asks for more. */
const QUEUED_FOR_FEWER = 0.1;
const BUSY_FOR_FEWER = 0.5;

/**
 * One more when requests have queued, or the JavaScript threads were busy, for `upSamples` on average;
 * one fewer when the rest could have carried the load of `downSamples` with ease, and `mayShrink`. A
 * change of the number of workers, also by itself, begins a new history.
 */
export function decideSize(
  earlier: readonly LoadSample[],
  sample: LoadSample,
  policy: ElasticPolicy,
  mayShrink: boolean,
): SizeDecision {
  const longest = Math.max(policy.upSamples, policy.downSamples);
  const same = earlier.at(-1)?.workers === sample.workers ? earlier : [];
  const history = [...same, sample].slice(-longest);
  const { workers } = sample;
  const grows = workers < policy.max && isShort(history, policy.upSamples);
  if (grows) return { change: 1, history: [] };
  const shrinks = mayShrink && workers > policy.min && isAmple(history, policy.downSamples);
  return shrinks ? { change: -1, history: [] } : { change: 0, history };
}

function isShort(history: readonly LoadSample[], samples: number): boolean {
  if (history.length < samples) return false;
  const { workers, queued, busyThreads } = mean(history.slice(-samples));
  return queued >= QUEUED_FOR_MORE * workers || busyThreads >= BUSY_FOR_MORE * workers;
}

function isAmple(history: readonly LoadSample[], samples: number): boolean {
  if (history.length < samples) return false;
  const { workers, queued, running, busyThreads } = mean(history.slice(-samples));
  const left = workers - 1;
  const isBusy = running > BUSY_FOR_FEWER * left || busyThreads > BUSY_FOR_FEWER * left;
  return !isBusy && queued <= QUEUED_FOR_FEWER * left;
}

function mean(samples: readonly LoadSample[]): LoadSample {
  const of = (member: keyof LoadSample) =>
    samples.reduce((sum, sample) => sum + sample[member], 0) / samples.length;
  return {
    workers: of('workers'),
    queued: of('queued'),
    running: of('running'),
    busyThreads: of('busyThreads'),
  };
}
