import type { LegendEntry } from './legend.js';

/** A line for each server, in the colour of its place. */
export function serverEntries(recordings: readonly { server: string }[]): LegendEntry[] {
  return recordings.map(({ server }, colour) => ({
    name: server,
    kind: 'line',
    colour,
    style: 'line',
    hasMarker: true,
  }));
}
