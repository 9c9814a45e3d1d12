/** What a Metronome tells its thread. */
export interface Beat {
  /** Of process.hrtime, which all threads share. */
  startNs: bigint;
  intervalMs: number;
  /** Of two flags. */
  shared: SharedArrayBuffer;
}

/** The last tick was not taken yet: no other one is sent. */
export const IS_PENDING = 0;
export const IS_STOPPED = 1;
export const FLAGS = 2;
