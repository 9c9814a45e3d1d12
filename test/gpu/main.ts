import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectGpuFacts, describeGpuFacts } from '../../bench/gpu/lib/facts.js';
import { writeJson } from '../../bench/gpu/lib/results.js';
import { findTarget, type Target } from '../../bench/gpu/lib/target.js';
import { projectRoot } from '../../bench/lib/paths.js';
import { alignColumns } from '../../src/cli/table.js';
import { Engine } from '../../src/native/engine.js';
import { ANSWERS } from './answers.js';
import type { Case } from './case.js';
import { DAEMON } from './daemon.js';
import { MEMORY } from './memory.js';
import { SHARING } from './sharing.js';

/** `npm run test:gpu -- [--device cuda|cuda:N|cpu] [--ort-library FILE] [--quick]`: what only a GPU shows. */

const RESULTS = join(projectRoot, 'build', 'test-gpu.json');
const CASES = [...ANSWERS, ...MEMORY, ...DAEMON, ...SHARING];

interface Outcome {
  name: string;
  outcome: 'ok' | 'FAILED' | 'skipped';
  reason?: string;
}

async function main(): Promise<void> {
  const target = await findTarget(process.argv.slice(2));
  if ('skipped' in target) {
    writeJson(RESULTS, target);
    console.log(`gpu tests: skipped, ${target.skipped}`);
    return;
  }
  try {
    const facts = collectGpuFacts(target.report);
    console.log(`${describeGpuFacts(facts)}\n`);
    const outcomes = await runAll(target);
    writeJson(RESULTS, { device: target.device, ...facts, outcomes });
    console.log(outcomeLines(outcomes).join('\n'));
    if (outcomes.some(({ outcome }) => outcome === 'FAILED')) process.exitCode = 1;
  } finally {
    target.close();
  }
}

async function runAll(target: Target): Promise<Outcome[]> {
  const engine = new Engine(target.library);
  const outcomes: Outcome[] = [];
  for (const each of CASES) outcomes.push(await runCase(each, target, engine));
  engine.close();
  return outcomes;
}

async function runCase(
  { name, needsGpu, run }: Case,
  target: Target,
  engine: Engine,
): Promise<Outcome> {
  if (needsGpu && target.gpu === undefined) return { name, outcome: 'skipped', reason: 'no GPU' };
  const folder = mkdtempSync(join(tmpdir(), 'warmswap-gpu-test-'));
  try {
    await run({ target, engine, folder });
    return { name, outcome: 'ok' };
  } catch (error) {
    return { name, outcome: 'FAILED', reason: (error as Error).message };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function outcomeLines(outcomes: readonly Outcome[]): string[] {
  const count = (wanted: Outcome['outcome']) =>
    outcomes.filter(({ outcome }) => outcome === wanted).length;
  return [
    ...alignColumns(outcomes.map(({ name, outcome, reason = '' }) => [outcome, name, reason])),
    '',
    `${count('ok')} passed, ${count('FAILED')} failed, ${count('skipped')} skipped; records in ${RESULTS}`,
  ];
}

try {
  await main();
} catch (error) {
  console.error(`test:gpu: ${(error as Error).message}`);
  process.exitCode = 2;
}
