// `npm test`: every check and every test, with one line at the end that counts them all.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitestReport = `${root}build/vitest.json`;

/** What cannot run on this machine says so, such as `fuzzers: skipped, clang++ is not installed`. */
const SKIPPED = /^[\w, -]+: skipped, /gm;

/** Each step counts its tests from its output; a step without tests counts as one. */
const STEPS = [
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'typecheck'] },
  { name: 'build', command: ['npm', 'run', '--silent', 'build'] },
  { name: 'clang-tidy', command: ['npm', 'run', '--silent', 'lint:native'], count: countSkipped },
  { name: 'fixtures', command: ['npm', 'run', '--silent', 'generate:fixtures'] },
  { name: 'native tests', command: ['npm', 'run', '--silent', 'test:native'], count: countDoctest },
  { name: 'fuzzers', command: ['npm', 'run', '--silent', 'test:fuzz'], count: countSkipped },
  {
    name: 'vitest',
    command: [
      ...['npx', 'vitest', 'run', '--reporter=default', '--reporter=json'],
      ...['--reporter=test/support/flaky-reporter.ts', `--outputFile.json=${vitestReport}`],
    ],
    count: countVitest,
  },
];

async function main() {
  mkdirSync(`${root}build`, { recursive: true });
  rmSync(vitestReport, { force: true });
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const step of STEPS) {
    const counts = await runStep(step);
    for (const kind of Object.keys(total)) total[kind] += counts[kind];
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  if (total.failed > 0) process.exitCode = 1;
}

async function runStep({ name, command, count = () => undefined }) {
  console.log(`\n── ${name}`);
  const { code, output } = await run(command);
  const counts = count(output) ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 };
  // A step that fails without naming a failed test, such as one that crashed, has failed all the same.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  if (code !== 0) console.log(`── ${name} failed`);
  return counts;
}

function run([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.once('close', (code) => resolve({ code, output }));
    child.once('error', (error) => {
      console.error(error.message);
      resolve({ code: 1, output });
    });
  });
}

function countDoctest(output) {
  const pattern = /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped/g;
  const summaries = [...output.matchAll(pattern)];
  if (summaries.length === 0) return undefined;
  const sum = (group) => summaries.reduce((total, match) => total + Number(match[group]), 0);
  return { passed: sum(1), failed: sum(2), skipped: sum(3) + skippedIn(output) };
}

function countSkipped(output) {
  const skipped = skippedIn(output);
  return skipped === 0 ? undefined : { passed: 0, failed: 0, skipped };
}

function skippedIn(output) {
  return output.match(SKIPPED)?.length ?? 0;
}

function countVitest() {
  try {
    const report = JSON.parse(readFileSync(vitestReport, 'utf8'));
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return undefined;
  }
}

await main();
