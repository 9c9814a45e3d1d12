import { Option, type Command } from 'commander';
import {
  collect,
  collectShape,
  durationMs,
  durationOrZeroMs,
  positiveInteger,
  positiveNumber,
} from '../option-values.js';
import { addTargetOptions } from '../request-target.js';
import type { BenchFlags } from './bench.js';

/** `warmswap bench`. */
export function addBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('put a load on a model and measure it')
    .requiredOption('--model <model>', 'the model')
    .option('--concurrency <n>', 'requests at a time (default: 1)', positiveInteger)
    .addOption(
      new Option('--rate <n>', 'requests a second instead, whatever the answers take')
        .argParser(positiveNumber)
        .conflicts('concurrency'),
    )
    .option('--connections <n>', 'default: 8, or as many as --concurrency', positiveInteger)
    .addOption(
      new Option('--duration <time>', 'how long it measures')
        .argParser(durationMs)
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--warmup <time>', 'what comes before and is not counted')
        .argParser(durationOrZeroMs)
        .default(1_000, '1s'),
    )
    .option('--count <n>', 'end after so many requests', positiveInteger)
    .addOption(
      new Option('--input <name=value>', 'an input, as infer takes it')
        .argParser(collect)
        .default([], 'random values'),
    )
    .addOption(
      new Option('--shape <name=sizes>', 'the shape of an input, as x=1,512')
        .argParser(collectShape)
        .default({}, '1 for each free dimension'),
    )
    .addOption(
      new Option('--requests <file>', 'recorded requests, one JSON document a line')
        .conflicts('input')
        .conflicts('shape'),
    )
    .option('--json', 'print JSON')
    .action(async (flags: BenchFlags) => (await import('./bench.js')).runBench(flags));
  addTargetOptions(bench);
}
