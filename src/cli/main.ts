#!/usr/bin/env node
import { Command, Option } from 'commander';
import { addBench } from './bench/command.js';
import { addCtlCommands } from './ctl.js';
import type { DemoFlags } from './demo/demo.js';
import type { DoctorFlags } from './doctor/doctor.js';
import { reportFailure } from './failure.js';
import type { InferFlags } from './infer.js';
import { collect, collectShape, positiveInteger } from './option-values.js';
import { packageJson } from './package-json.js';
import type { PackFlags } from './pack.js';
import { addTargetOptions } from './request-target.js';
import type { ServeFlags } from './serve.js';
import { addSetup } from './setup/command.js';

/**
 * The command line. Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration. What a command runs is loaded when
 * it is called, so that none waits for the others' libraries.
 */

function buildProgram(): Command {
  const program = new Command('warmswap')
    .description(
      'Inference daemon: one shared copy of the weights, swaps without a failed request.',
    )
    .version(packageJson().version)
    .enablePositionalOptions()
    .exitOverride();
  addServe(program);
  addInfer(program);
  addPack(program);
  addBench(program);
  addCtlCommands(program.command('ctl').description('steer a running daemon'), positiveInteger);
  addSetup(program);
  program
    .command('doctor')
    .description('tell what this host can do, and what to mend')
    .option('--config <file>', 'warmswap.yaml')
    .option('--json', 'print JSON')
    .action(async (flags: DoctorFlags) => (await import('./doctor/doctor.js')).runDoctor(flags));
  program
    .command('demo')
    .description('serve a bundled model, swap it under load, report')
    .option('--assets <dir>', 'folder with models/ and data/ of the real classifier')
    .option('--output <dir>', 'where pictures go', 'demo-output')
    .option('--seconds <n>', 'length of the phases before and after the swap', positiveInteger, 3)
    .action(async (flags: DemoFlags) => (await import('./demo/demo.js')).runDemo(flags));
  return program;
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('serve the models of a repository')
    .option('--config <file>', 'warmswap.yaml')
    .option('--models <dir>', 'the repository (default: ./models)')
    .option('--store <dir>', 'the artifact store (default: ~/.cache/warmswap)')
    .option('--host <host>', 'address of the data plane (default: 127.0.0.1)')
    .option('--port <n>', 'port of the data plane (default: 9000; 0: any)')
    .option('--admin-port <n>', 'port of the admin interface (default: 9001; 0: any)')
    .option('--workers <n>', 'worker processes, or auto')
    .option('--device <device>', 'auto, cpu, cuda, cuda:0,1 or webgpu')
    .option('--watch', 'reload when a version is published')
    .option('--log-level <level>', 'debug, info, warn or error')
    .action(async (flags: ServeFlags) => (await import('./serve.js')).runServe(flags));
}

function addPack(program: Command): void {
  program
    .command('pack')
    .description('make the artifact of a version ahead of time')
    .argument('<model/version>')
    .option('--config <file>', 'warmswap.yaml')
    .option('--models <dir>', 'the repository (default: ./models)')
    .option('--store <dir>', 'the artifact store (default: ~/.cache/warmswap)')
    .option('--json', 'print JSON')
    .action(async (version: string, flags: PackFlags) =>
      (await import('./pack.js')).runPack(version, flags),
    );
}

function addInfer(program: Command): void {
  const infer = program
    .command('infer')
    .description('run a model once')
    .argument('<model>')
    .addOption(
      new Option(
        '--input <name=value>',
        'numbers, JSON, @file.json, @file.npy, or @file with the raw bytes; once per input',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--shape <name=sizes>', 'the shape of an input, as x=1,512')
        .argParser(collectShape)
        .default({}, 'that of the data'),
    )
    .addOption(
      new Option('--output <name>', 'an output that is wanted')
        .argParser(collect)
        .default([], 'all'),
    )
    .addOption(
      new Option('--save <name=file.npy>', 'write an output to a file')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--json', 'print JSON')
    .action(async (model: string, flags: InferFlags) =>
      (await import('./infer.js')).runInfer(model, flags),
    );
  addTargetOptions(infer);
}

async function main(): Promise<void> {
  let asJson = false;
  const program = buildProgram().hook('preAction', (_, command) => {
    asJson = command.opts<{ json?: boolean }>().json === true;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = reportFailure(error, asJson);
  }
}

await main();
