// Runs clang-tidy over the C++ sources, with the compile commands that `npm install` left.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, isInstalled } from './command.mjs';
import { Problem, runMain } from './problem.mjs';
import { buildFolder, cores, projectRoot } from './project.mjs';

const COMMANDS = join(buildFolder, 'compile_commands.json');

async function main() {
  const clangTidy = process.env.CLANG_TIDY || 'clang-tidy';
  if (!(await isInstalled(clangTidy))) {
    process.stdout.write(`clang-tidy: skipped, ${clangTidy} is not installed\n`);
    return;
  }
  if (!existsSync(COMMANDS)) {
    throw new Problem('clang-tidy needs build/compile_commands.json. Run `npm install` first');
  }
  const findings = await checkAll(clangTidy, compiledFiles());
  if (findings.length > 0) throw new Problem('clang-tidy: see above', findings);
}

/** What the compiler is given: files that include several sources each, so headers are read once for all of them. */
function compiledFiles() {
  return JSON.parse(readFileSync(COMMANDS, 'utf8')).map(({ file }) => file);
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
  const args = ['-p', buildFolder, '--quiet', '--checks=-bugprone-suspicious-include', file];
  return capture(clangTidy, args, { cwd: projectRoot });
}

await runMain(main);
