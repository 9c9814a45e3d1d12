import { Option, type Command } from 'commander';
import {
  collect,
  collectShape,
  durationMs,
  durationOrZeroMs,
  positiveInteger,
  positiveNumber,
  priority,
  serverUrl,
} from '../option-values.js';
import { runBench, type BenchFlags } from './bench.js';

/** `warmswap bench`. */
export function addBench(program: Command): void {
  program
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
    .option('--url <url>', 'the daemon', serverUrl, 'ws://127.0.0.1:9000')
    .option('--version <n>', 'a version instead of the active one', positiveInteger)
    .addOption(new Option('--label <label>', 'the version with this label').conflicts('version'))
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
    .option('--priority <n>', 'how urgent the requests are; 0 is the most', priority)
    .option('--deadline <time>', 'how long a request may wait, for example 100ms', durationMs)
    .option('--json', 'print JSON')
    .action((flags: BenchFlags) => runBench(flags));
}
