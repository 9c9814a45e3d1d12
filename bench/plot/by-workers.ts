import type { KeptRecording, MemoryRecording } from '../lib/recording.js';
import type { Chart } from './chart.js';
import { footnote } from './footnote.js';
import { serverEntries } from './servers.js';

/** Memory of all processes of each server against the number of its workers. */
export function byWorkers(recordings: readonly (MemoryRecording & KeptRecording)[]): Chart {
  const counts = recordings.flatMap(({ points }) => points.map(({ workers }) => workers));
  const ticks = [...new Set(counts)].sort((a, b) => a - b);
  return {
    title: 'Memory against workers',
    subtitle: `${recordings[0]?.load ?? ''}; PSS of all processes, after all have served`,
    x: { label: 'workers', scale: 'linear', ticks },
    y: { label: 'memory (GB)', scale: 'linear' },
    panels: [
      {
        lines: recordings.map(({ points }, colour) => ({
          points: points.map(({ workers, pssBytes }) => ({ x: workers, y: pssBytes / 1e9 })),
          colour,
          style: 'line',
          hasMarkers: true,
        })),
      },
    ],
    legend: serverEntries(recordings),
    footnote: footnote(recordings),
  };
}
