// Runs clang-tidy over the C++ sources, with the compile commands that `npm install` left.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture, isInstalled } from './command.mjs';
import { Problem, runMain } from './problem.mjs';
import { buildFolder, cores, projectRoot, sourceFiles } from './project.mjs';

async function main() {
  const clangTidy = process.env.CLANG_TIDY || 'clang-tidy';
  if (!(await isInstalled(clangTidy))) {
    process.stdout.write(`clang-tidy: skipped, ${clangTidy} is not installed\n`);
    return;
  }
  if (!existsSync(join(buildFolder, 'compile_commands.json'))) {
    throw new Problem('clang-tidy needs build/compile_commands.json. Run `npm install` first');
  }
  const findings = await checkAll(clangTidy, sourceFiles('native', '.cc'));
  if (findings.length > 0) throw new Problem('clang-tidy: see above', findings);
}

/** Checks as many files at a time as there are cores; resolves to the findings. */
async function checkAll(clangTidy, files) {
  const waiting = [...files];
  const findings = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { ok, stdout, output } = await checkFile(clangTidy, file);
      if (!ok) findings.push((stdout || output).trimEnd());
    }
  };
  await Promise.all(Array.from({ length: Number(cores) }, worker));
  return findings;
}

function checkFile(clangTidy, file) {
  return capture(clangTidy, ['-p', buildFolder, '--quiet', file], { cwd: projectRoot });
}

await runMain(main);
