import type { LatencySeries, SeriesBucket } from '../lib/load.js';
import type { KeptRecording, SwapRecording } from '../lib/recording.js';
import type { Chart, Panel } from './chart.js';
import { footnote } from './footnote.js';
import type { LegendEntry } from './legend.js';

/** Latency over time while models are swapped: a panel for each server. */

/** Before the first swap. */
const CALM_MS = 250;

/** The first `mostSwaps` of them: more are too narrow to be seen. */
export function acrossSwap(
  recordings: readonly (SwapRecording & KeptRecording)[],
  mostSwaps: number,
): Chart {
  const windows = recordings.map(({ series, during }) => firstSwaps(series, during, mostSwaps));
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

/** From a little before the first swap until the calm after the last of them ends. */
function firstSwaps(series: LatencySeries, during: string, mostSwaps: number): Window {
  const { marks, buckets, bucketMs } = series;
  const lastMs = (buckets.at(-1)?.ms ?? 0) + bucketMs;
  const swaps = marks.flatMap(({ phase, ms }, i) =>
    phase === during ? [{ fromMs: ms, toMs: marks[i + 1]?.ms ?? lastMs }] : [],
  );
  const fromMs = Math.max(0, (swaps[0]?.fromMs ?? 0) - CALM_MS);
  const toMs = swaps[mostSwaps]?.fromMs ?? lastMs;
  return {
    fromMs,
    buckets: buckets.filter(({ ms }) => ms >= fromMs && ms < toMs),
    swaps: swaps.slice(0, mostSwaps),
  };
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
