import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { readJsonLines } from './lib/json-lines.js';
import { benchBuild, plotsDir, projectRoot, recordingsFile } from './lib/paths.js';
import type { KeptRecording } from './lib/recording.js';
import { drawPlot, PLOT_NAMES } from './plot/plots.js';

/**
 * `npm run bench:plots`: draws what `npm run bench` has recorded. Plots of quick runs, which are no
 * figures, do not get into the repository.
 */

const QUICK_DIR = join(benchBuild, 'plots');
const WRONG_USAGE = 2;

function main(): void {
  const { values } = parseArgs({
    options: { recordings: { type: 'string', default: recordingsFile }, out: { type: 'string' } },
  });
  const recordings = readJsonLines(values.recordings) as KeptRecording[];
  for (const name of PLOT_NAMES) {
    const plot = drawPlot(name, recordings);
    if (!plot) {
      console.log(`${name}: skipped, nothing is recorded for it`);
      continue;
    }
    const folder = values.out ?? (plot.isQuick ? QUICK_DIR : plotsDir);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name}.svg`);
    writeFileSync(path, plot.svg);
    console.log(relative(projectRoot, path));
  }
}

try {
  main();
} catch (error) {
  console.error(`bench:plots: ${(error as Error).message}`);
  process.exitCode = WRONG_USAGE;
}
