import type { Command } from 'commander';
import type { SetupFlags } from './setup-cuda.js';

/** `warmswap setup`. */
export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('install what Warmswap does not bring')
    .command('cuda')
    .description("install ONNX Runtime's CUDA provider beside the library that models run with")
    .option('--from <path>', 'a folder, .whl, .jar, .nupkg, .zip or .tgz with it (default: NuGet)')
    .option('--to <dir>', 'for a whole other ONNX Runtime (default: ~/.local/share/warmswap/…)')
    .option('--config <file>', 'warmswap.yaml, for its ortLibrary')
    .option('--json', 'print JSON')
    .action(async (flags: SetupFlags) => (await import('./setup-cuda.js')).setupCuda(flags));
}
