import type { LatencySeries, SeriesBucket } from '../lib/load.js';
import type { KeptRecording, SwapRecording } from '../lib/recording.js';
import type { Chart, Panel } from './chart.js';
import { footnote } from './footnote.js';
import type { LegendEntry } from './legend.js';

/** Latency over time while models are swapped: a panel for each server. */

/** Before the first swap. */
const CALM_MS = 250;

/** As long as the first `swaps` take the slowest of them: more would be too narrow to be seen. */
export function acrossSwap(
  recordings: readonly (SwapRecording & KeptRecording)[],
  swaps: number,
): Chart {
  const lengths = recordings.map(({ series, during }) => lengthOf(series, during, swaps));
  const windows = recordings.map(({ series, during }) =>
    windowOf(series, during, Math.max(...lengths)),
  );
  const [first] = recordings;
  const bucketMs = first?.series.bucketMs ?? 0;
  const hasFailures = windows.some((window) => window.buckets.some(({ failures }) => failures > 0));
  return {
    title: 'Latency while a model is swapped',
    subtitle: `${first?.load ?? ''}; slowest and median request of each ${bucketMs} ms`,
    x: { label: 'time (s)', scale: 'linear' },
    y: { label: 'latency (ms)', scale: 'log' },
    panels: windows.map((window, i) => panel(window, recordings[i]?.server ?? '', i)),
    legend: [
      { name: 'slowest', kind: 'line', colour: 'ink', style: 'thin' },
      { name: 'median', kind: 'line', colour: 'ink', style: 'line' },
      { name: 'swap', kind: 'band' },
      ...(hasFailures ? ([{ name: 'failed requests', kind: 'failure' }] as LegendEntry[]) : []),
    ],
    footnote: footnote(recordings),
  };
}

interface Window {
  fromMs: number;
  buckets: readonly SeriesBucket[];
  swaps: readonly { fromMs: number; toMs: number }[];
}

/** From a little before the first swap. */
function windowOf(series: LatencySeries, during: string, lengthMs: number): Window {
  const fromMs = beginOf(series, during);
  const isShown = (ms: number) => ms >= fromMs && ms < fromMs + lengthMs;
  return {
    fromMs,
    buckets: series.buckets.filter(({ ms }) => isShown(ms)),
    swaps: swapsOf(series, during)
      .filter((swap) => isShown(swap.fromMs))
      .map((swap) => ({ ...swap, toMs: Math.min(swap.toMs, fromMs + lengthMs) })),
  };
}

/** Until the calm after the last of these swaps ends. */
function lengthOf(series: LatencySeries, during: string, swaps: number): number {
  const toMs = swapsOf(series, during)[swaps]?.fromMs ?? endOf(series);
  return toMs - beginOf(series, during);
}

function beginOf(series: LatencySeries, during: string): number {
  return Math.max(0, (swapsOf(series, during)[0]?.fromMs ?? 0) - CALM_MS);
}

function endOf({ buckets, bucketMs }: LatencySeries): number {
  return (buckets.at(-1)?.ms ?? 0) + bucketMs;
}

function swapsOf(series: LatencySeries, during: string): Window['swaps'] {
  return series.marks.flatMap(({ phase, ms }, i) =>
    phase === during ? [{ fromMs: ms, toMs: series.marks[i + 1]?.ms ?? endOf(series) }] : [],
  );
}

function panel({ fromMs, buckets, swaps }: Window, server: string, colour: number): Panel {
  const seconds = (ms: number) => (ms - fromMs) / 1000;
  const line = (of: (bucket: SeriesBucket) => number | undefined) =>
    buckets.flatMap((bucket) => {
      const us = of(bucket);
      return us === undefined ? [] : [{ x: seconds(bucket.ms), y: us / 1000 }];
    });
  return {
    heading: server,
    lines: [
      { points: line(({ max }) => max), colour, style: 'thin' },
      { points: line(({ p50 }) => p50), colour, style: 'line' },
    ],
    bands: swaps.map((swap) => ({ from: seconds(swap.fromMs), to: seconds(swap.toMs) })),
    failures: buckets.filter(({ failures }) => failures > 0).map(({ ms }) => seconds(ms)),
  };
}
