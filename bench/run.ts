import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare } from './compare.js';
import { buildLoadGenerator } from './lib/build-load-generator.js';
import { verdictOf, type Check } from './lib/check.js';
import { DisturbanceMeter } from './lib/disturbance.js';
import { appendJsonLine } from './lib/json-lines.js';
import { collectFacts, describeFacts, type RunFacts } from './lib/machine.js';
import { benchBuild, recordingsFile, resultsFile } from './lib/paths.js';
import type { KeptRecording } from './lib/recording.js';
import { toResult } from './lib/result.js';
import type { Row, Settings } from './lib/row.js';
import { markdownTable, textLine } from './lib/table.js';
import { prepare } from './prepare.js';
import { publish } from './publish.js';
import { ROWS } from './rows/index.js';

/** `npm run bench`: runs the rows, prints the table; README.md tells more. */

const TABLE = join(benchBuild, 'table.md');
const BROKEN = 1;
const WRONG_USAGE = 2;

/** What short and long runs differ in. */
type RunSettings = Omit<Settings, 'keep' | 'huge'>;

const QUICK: RunSettings = {
  quick: true,
  repeats: 2,
  longRepeats: 1,
  duration: { warmupSeconds: 0.1, seconds: 0.25 },
  peers: { repeats: 1, duration: { warmupSeconds: 0.1, seconds: 0.25 } },
};
const FULL: RunSettings = {
  quick: false,
  repeats: 5,
  longRepeats: 3,
  duration: { warmupSeconds: 1, seconds: 4 },
  peers: { repeats: 3, duration: { warmupSeconds: 0.5, seconds: 2 } },
};

interface Flags {
  settings: Omit<Settings, 'keep'>;
  rows: readonly Row[];
}

function readFlags(args: string[]): Flags {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      huge: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      row: { type: 'string', multiple: true },
      repeats: { type: 'string' },
    },
  });
  const { quick, huge } = values;
  if (quick && huge) throw new Error('--quick and --huge exclude each other');
  const settings = quick ? QUICK : FULL;
  const repeats = Number(values.repeats ?? settings.repeats);
  if (!(repeats >= 2)) throw new Error('--repeats takes a number of at least 2');
  const rows = chooseRows(values.row);
  if (values.list) {
    for (const { name, about } of rows) console.log(`${name.padEnd(20)} ${about}`);
    process.exit(0);
  }
  return { settings: { ...settings, huge, repeats }, rows };
}

function chooseRows(names: readonly string[] | undefined): readonly Row[] {
  const unknown = names?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`--row takes ${ROWS.map(({ name }) => name).join(', ')}, not ${unknown}`);
  }
  return names ? ROWS.filter(({ name }) => names.includes(name)) : ROWS;
}

async function main({ settings, rows }: Flags): Promise<void> {
  const started = performance.now();
  mkdirSync(benchBuild, { recursive: true });
  buildLoadGenerator();
  const facts = collectFacts();
  console.log(describeFacts(facts) + (settings.quick ? '\nquick: short phases, small models' : ''));
  const checks: Check[] = [];
  for (const row of rows) {
    console.log(`\n${row.name}: ${row.about}`);
    for (const check of await runRow(row, settings, facts)) {
      checks.push(check);
      console.log(textLine(check));
      appendJsonLine(resultsFile, toResult(row.name, check, settings.quick, facts));
    }
  }
  writeFileSync(TABLE, markdownTable(checks) + '\n');
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`\n${summary(checks)} in ${seconds} s; records in ${resultsFile}, table in ${TABLE}`);
}

/** A row that breaks does not hold up the others. */
async function runRow(row: Row, settings: Flags['settings'], facts: RunFacts): Promise<Check[]> {
  const meter = new DisturbanceMeter();
  const keep: Settings['keep'] = (recording) => {
    const kept: KeptRecording = { ...recording, row: row.name, quick: settings.quick, ...facts };
    appendJsonLine(recordingsFile, kept);
  };
  try {
    const checks = await row.run({ ...settings, keep });
    const notes = meter.notes();
    return checks.map((check) =>
      'notRun' in check ? check : { ...check, notes: [...check.notes, ...notes] },
    );
  } catch (error) {
    process.exitCode = BROKEN;
    const notRun = `it failed: ${(error as Error).message}`;
    return [{ name: row.name, budget: { limit: 'at most', value: NaN }, unit: '×', notRun }];
  }
}

function summary(checks: readonly Check[]): string {
  const count = (verdict: string) => checks.filter((check) => verdictOf(check) === verdict).length;
  return `${count('PASS')} PASS, ${count('MISS')} MISS, ${count('NOT RUN')} NOT RUN`;
}

/** Commands beside running the rows, which has no name. */
const COMMANDS: Readonly<Record<string, (args: string[]) => void | Promise<void>>> = {
  compare,
  prepare,
  publish,
};

try {
  const [name = '', ...args] = process.argv.slice(2);
  const command = COMMANDS[name];
  await (command ? command(args) : main(readFlags(process.argv.slice(2))));
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = WRONG_USAGE;
}
