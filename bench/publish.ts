import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readResults, resultsOf } from './lib/find-run.js';
import { appendJsonLine } from './lib/json-lines.js';
import { historyFile, plotsDir, projectRoot, resultsFile } from './lib/paths.js';
import { replaceReport, reportOf } from './lib/report.js';
import { newestOfEach, type Result } from './lib/result.js';
import { PLOT_NAMES } from './plot/plots.js';

const READMES = ['README.md', 'bench/README.md'];

/**
 * `npm run bench -- publish COMMIT`: adds the newest results of a commit to history.jsonl, and
 * writes them into the READMEs, above the plots that there are.
 */
export async function publish(args: readonly string[]): Promise<void> {
  const [commit, ...more] = args;
  if (commit === undefined || more.length > 0) throw new Error('publish takes one commit');
  if (commit.endsWith('+')) throw new Error('only results of what is committed can be published');
  const results = newestOfEach(fullOnes(resultsOf(readResults(resultsFile), commit)));
  if (results.length === 0) throw new Error(`${resultsFile} has no results of ${commit}`);
  const known = new Set(readResults(historyFile).map((result) => JSON.stringify(result)));
  const fresh = results.filter((result) => !known.has(JSON.stringify(result)));
  for (const result of fresh) appendJsonLine(historyFile, result);
  for (const name of READMES) await writeReport(join(projectRoot, name), reportOf(results));
  console.log(`${fresh.length} results added to ${historyFile}; report in ${READMES.join(', ')}`);
}

/** Those of quick runs say less: only where there are no others. */
function fullOnes(results: readonly Result[]): readonly Result[] {
  const full = results.filter(({ quick }) => !quick);
  return full.length > 0 ? full : results;
}

async function writeReport(path: string, report: string): Promise<void> {
  const whole = [report, ...plotImages(path)].join('\n\n');
  const text = replaceReport(readFileSync(path, 'utf8'), whole);
  const options = await resolveConfig(path);
  writeFileSync(path, await format(text, { ...options, filepath: path }));
}

function plotImages(readme: string): string[] {
  const names = PLOT_NAMES.filter((name) => existsSync(join(plotsDir, `${name}.svg`)));
  const folder = relative(dirname(readme), plotsDir);
  return names.map((name) => `![${name.replaceAll('-', ' ')}](${folder}/${name}.svg)`);
}
