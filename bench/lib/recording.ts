import type { LatencySeries } from './load.js';
import type { RunFacts } from './machine.js';

/** What plots are drawn from: the measurements of one server in one row. */
export type Recording = SwapRecording | RateRecording | MemoryRecording;

interface Recorded {
  server: string;
  /** Under what load, and with which model; the same for all servers of a plot. */
  load: string;
}

/** Of swaps of the daemon alone, or of updates of all servers. */
export interface SwapRecording extends Recorded {
  plot: 'latency-across-swap' | 'latency-across-update';
  series: LatencySeries;
  /** The phase of the series that a swap lasts. */
  during: string;
}

export interface RateRecording extends Recorded {
  plot: 'latency-by-rate';
  points: readonly RatePoint[];
}

/** Medians over the repeats. */
export interface RatePoint {
  /** Requests a second. */
  rate: number;
  p50Us: number;
  p99Us: number;
}

export interface MemoryRecording extends Recorded {
  plot: 'memory-by-workers';
  points: readonly MemoryPoint[];
}

/** Medians over the repeats. */
export interface MemoryPoint {
  workers: number;
  /** Of all processes of the server. */
  pssBytes: number;
}

/** A line of recordings.jsonl. All lines of one run have the same facts. */
export type KeptRecording = Recording & RunFacts & { row: string; quick: boolean };
