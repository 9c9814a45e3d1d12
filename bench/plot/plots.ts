import { COLOURS } from './style.js';
import type { KeptRecording, Recording } from '../lib/recording.js';
import { acrossSwap } from './across-swap.js';
import { byRate } from './by-rate.js';
import { byWorkers } from './by-workers.js';
import { drawChart, type Chart } from './chart.js';

/** Which plots there are, and what each is drawn from. */

export type PlotName = Recording['plot'];

export interface Plot {
  name: PlotName;
  /** Of the run that it was drawn from. */
  isQuick: boolean;
  svg: string;
}

const CHARTS: Readonly<Record<PlotName, (recordings: readonly KeptRecording[]) => Chart>> = {
  'latency-across-swap': (all) => acrossSwap(only('latency-across-swap', all), 3),
  'latency-across-update': (all) => acrossSwap(only('latency-across-update', all), 1),
  'latency-by-rate': (all) => byRate(only('latency-by-rate', all)),
  'memory-by-workers': (all) => byWorkers(only('memory-by-workers', all)),
};

export const PLOT_NAMES = Object.keys(CHARTS) as PlotName[];

/** From the newest run that has recordings for it; nothing if none has. */
export function drawPlot(name: PlotName, recordings: readonly KeptRecording[]): Plot | undefined {
  const ofPlot = only(name, recordings);
  const newest = ofPlot.at(-1);
  if (!newest) return undefined;
  const ofRun = ofPlot.filter(({ date }) => date === newest.date).slice(0, COLOURS);
  return { name, isQuick: newest.quick, svg: drawChart(CHARTS[name](ofRun)) };
}

function only<Name extends PlotName>(name: Name, recordings: readonly KeptRecording[]) {
  return recordings.filter((it): it is KeptRecording & { plot: Name } => it.plot === name);
}
