import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { benchBuild, loadGenerator, projectRoot } from '../lib/paths.js';
import { measureCopies } from './copies.js';
import { measureDaemon } from './daemon.js';
import { BareEngine } from './lib/engine-model.js';
import { collectGpuFacts, describeGpuFacts } from './lib/facts.js';
import { resultTable, writeJson, type Result } from './lib/results.js';
import { findTarget, type Target } from './lib/target.js';
import { measureLoads } from './loads.js';
import { measureRuns } from './runs.js';
import { measureSwaps } from './swaps.js';

/** `npm run bench:gpu`: loads, runs, the daemon and swaps on a GPU; README.md tells more. */

const RESULTS = join(benchBuild, 'gpu.json');
const BROKEN = 1;
const QUICK = { repeats: 3, seconds: 0.3 };
const FULL = { repeats: 5, seconds: 2 };

async function main(): Promise<void> {
  const target = await findTarget(process.argv.slice(2));
  mkdirSync(benchBuild, { recursive: true });
  if ('skipped' in target) {
    writeJson(RESULTS, target);
    console.log(`gpu benchmarks: skipped, ${target.skipped}`);
    return;
  }
  try {
    buildLoadGenerator();
    const facts = collectGpuFacts(target.report);
    console.log(describeGpuFacts(facts));
    const results = await measureAll(target);
    writeJson(RESULTS, { device: target.device, quick: target.quick, ...facts, results });
    console.log(['', ...resultTable(results), '', `records in ${RESULTS}`].join('\n'));
  } finally {
    target.close();
  }
}

/** Where it was built elsewhere, there need be no compiler. */
function buildLoadGenerator(): void {
  if (existsSync(loadGenerator)) return;
  const script = join(projectRoot, 'native', 'build', 'build-load-generator.mjs');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}

async function measureAll(target: Target): Promise<Result[]> {
  const { quick } = target;
  const settings = quick ? QUICK : FULL;
  const bare = new BareEngine(target);
  try {
    const results: Result[] = [];
    const take = async (what: string, measure: () => Promise<readonly Result[]>) => {
      console.log(what);
      results.push(...(await measure()));
    };
    const copies = await measureCopies(bare, target, settings.repeats);
    results.push(...copies.figures);
    await take('loads', () => measureLoads(bare, target, { repeats: settings.repeats, copies }));
    await take('runs', () => measureRuns(bare, target, settings));
    await take('daemon', () => measureDaemon(bare, target, settings));
    await take('swaps', () => measureSwaps(target));
    return results;
  } finally {
    bare.close();
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench:gpu: ${(error as Error).message}`);
  process.exitCode = BROKEN;
}
