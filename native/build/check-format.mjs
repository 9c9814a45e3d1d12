// Checks the format of the C++ sources with clang-format, or sets it with --write.
import { capture, isInstalled } from './command.mjs';
import { Problem, runMain } from './problem.mjs';
import { projectRoot, sourceFiles } from './project.mjs';

async function main() {
  const clangFormat = process.env.CLANG_FORMAT || 'clang-format';
  if (!(await isInstalled(clangFormat))) {
    process.stdout.write(`C++ format: skipped, ${clangFormat} is not installed\n`);
    return;
  }
  const folders = ['native', 'test/native', 'test/fuzz', 'bench/native', 'bench/load'];
  const files = folders.flatMap((folder) => sourceFiles(folder, '.h', '.cc'));
  if (files.length === 0) return;
  const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
  const { ok, output } = await capture(clangFormat, [...mode, ...files], { cwd: projectRoot });
  if (!ok) throw new Problem('C++ format: run `npm run format`', [output.trimEnd()]);
}

await runMain(main);
