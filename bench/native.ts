import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DisturbanceMeter } from './lib/disturbance.js';
import {
  readAllocations,
  readFigures,
  type GoogleBenchmarkReport,
  type NativeFigure,
} from './lib/google-benchmark.js';
import { appendJsonLine } from './lib/json-lines.js';
import { collectFacts, describeFacts } from './lib/machine.js';
import { mid, modelsDir, tiny, wide } from './lib/models.js';
import { benchBuild, projectRoot, resultsFile } from './lib/paths.js';
import { NATIVE, type Result } from './lib/result.js';
import { nativeLine } from './lib/table.js';

/** `npm run bench:native`: builds and runs the benchmarks of the core; README.md tells more. */

const PROGRAM = join(benchBuild, 'native', 'warmswap_native_bench');
const REPORT = join(benchBuild, 'native.json');
const BUILD_SCRIPT = join(projectRoot, 'native', 'build', 'build-native-bench.mjs');
const LIBRARY = join(
  projectRoot,
  `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
);
const FAILED = 1;

/** Seconds of one repeat of a case, at least. */
const QUICK = { repeats: 1, seconds: 0.01 };
const FULL = { repeats: 5, seconds: 0.2 };

interface Flags {
  quick: boolean;
  allocations: boolean;
  json: string | undefined;
  /** Of the program. */
  args: string[];
}

function readFlags(): Flags {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      allocations: { type: 'boolean', default: false },
      json: { type: 'string' },
      device: { type: 'string' },
      filter: { type: 'string' },
    },
  });
  const { quick, allocations, json, device, filter } = values;
  const { repeats, seconds } = quick ? QUICK : FULL;
  const args = [
    ...['--library', process.env.WARMSWAP_ORT_LIBRARY ?? LIBRARY, '--models', modelsDir],
    ...(device === undefined ? [] : ['--device', device]),
    ...(allocations ? ['--allocations'] : []),
    ...(filter === undefined ? [] : [`--benchmark_filter=${filter}`]),
    ...[`--benchmark_repetitions=${repeats}`, `--benchmark_min_time=${seconds}`],
    ...[`--benchmark_out=${REPORT}`, '--benchmark_out_format=json'],
    // Repeats of one case apart from each other, as the machine is not always the same.
    '--benchmark_enable_random_interleaving=true',
  ];
  return { quick, allocations, json, args };
}

function main({ quick, allocations, json, args }: Flags): void {
  execFileSync(process.execPath, [BUILD_SCRIPT], { stdio: 'inherit' });
  for (const ensure of [tiny, mid, wide]) ensure();
  const facts = collectFacts();
  console.log(describeFacts(facts));
  const meter = new DisturbanceMeter();
  // Its table comes in the random order of the cases.
  execFileSync(PROGRAM, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const notes = meter.notes();
  const report = JSON.parse(readFileSync(REPORT, 'utf8')) as GoogleBenchmarkReport;
  if (allocations) printAllocations(report);
  else recordTimes(readFigures(report), { notes, quick, ...facts });
  for (const note of notes) console.log(note);
  if (json !== undefined) copyFileSync(REPORT, json);
}

function printAllocations(report: GoogleBenchmarkReport): void {
  for (const [name, count] of readAllocations(report)) {
    console.log(`${count.toFixed(1).padStart(8)}  ${name}`);
  }
}

function recordTimes(
  figures: readonly NativeFigure[],
  common: Omit<Result, 'row' | 'name' | 'unit'>,
): void {
  for (const figure of figures) {
    console.log(nativeLine(figure));
    const result: Result = { row: NATIVE, ...figure, ...common };
    appendJsonLine(resultsFile, result);
  }
  console.log(`records in ${resultsFile}`);
}

try {
  main(readFlags());
} catch (error) {
  console.error(`bench:native: ${(error as Error).message}`);
  process.exitCode = FAILED;
}
