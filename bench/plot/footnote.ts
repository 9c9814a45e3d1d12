import type { KeptRecording } from '../lib/recording.js';

/** What the recordings of a plot, which are of one run, were made with. */
export function footnote([first]: readonly KeptRecording[]): string {
  if (!first) return '';
  const { date, commit, cpu, cores, kernel, quick } = first;
  return `${date.slice(0, 10)}, commit ${commit}${quick ? ', quick' : ''}; ${cpu}, ${cores} cores, Linux ${kernel}`;
}
