import type { Check } from './check.js';
import type { Duration } from './load.js';
import type { Recording } from './recording.js';

/** A benchmark that can be run by its name; gives one or more lines of the report. */
export interface Row {
  name: string;
  about: string;
  run(settings: Settings): Promise<Check[]>;
}

/** Why some rows, whose figures would say nothing, are left out of quick runs. */
export const NOT_IN_QUICK_RUNS = 'takes longer than a quick run has';

export interface Settings {
  /** Shorter phases, and an eighth of the 2 GB model. */
  quick: boolean;
  /** A model of 8 GB in its place. */
  huge: boolean;
  /** Of rows that take seconds. */
  repeats: number;
  /** Of rows that take minutes. */
  longRepeats: number;
  /** Of one measurement in a short row. */
  duration: Duration;
  /** Of rows over all peers, of which there are several. */
  peers: { repeats: number; duration: Duration };
  /** Keeps what a plot is drawn from. */
  keep: (recording: Recording) => void;
}
