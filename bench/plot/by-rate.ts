import type { KeptRecording, RatePoint, RateRecording } from '../lib/recording.js';
import type { Chart } from './chart.js';
import { footnote } from './footnote.js';
import { serverEntries } from './servers.js';

/** p50 and p99 of each server against the rate of requests. */
export function byRate(recordings: readonly (RateRecording & KeptRecording)[]): Chart {
  const rates = recordings.flatMap(({ points }) => points.map(({ rate }) => rate));
  const ticks = [...new Set(rates)].sort((a, b) => a - b);
  return {
    title: 'Latency against load',
    subtitle: `${recordings[0]?.load ?? ''}; a line ends where the server no longer keeps up`,
    x: { label: 'requests a second', scale: 'log', ticks },
    y: { label: 'latency (ms)', scale: 'log' },
    panels: [
      {
        lines: recordings.flatMap(({ points }, colour) => [
          { points: curve(points, ({ p99Us }) => p99Us), colour, style: 'line', hasMarkers: true },
          { points: curve(points, ({ p50Us }) => p50Us), colour, style: 'dashed' },
        ]),
      },
    ],
    legend: [
      ...serverEntries(recordings),
      { name: 'p99', kind: 'line', colour: 'ink', style: 'line', hasMarker: true },
      { name: 'p50', kind: 'line', colour: 'ink', style: 'dashed' },
    ],
    footnote: footnote(recordings),
  };
}

function curve(points: readonly RatePoint[], us: (point: RatePoint) => number) {
  return points.map((point) => ({ x: point.rate, y: us(point) / 1000 }));
}
