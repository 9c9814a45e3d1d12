import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runServerFuzz } from './server-fuzz.js';

/** `npm run test:fuzz:server -- [--count N] [--seed N] [--connections N]` */

const FINDINGS = join(import.meta.dirname, '../../build/server-fuzz');

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    connections: { type: 'string', default: '4' },
  },
});

const report = await runServerFuzz({
  count: Number(values.count),
  seed: Number(values.seed),
  connections: Number(values.connections),
});
const { seconds, seed, rpc, http, rssBytes, violations } = report;
const summary = {
  ...{ seconds, seed, frames: rpc.frames, connections: rpc.connections },
  answers: Object.fromEntries(rpc.answers),
  closes: Object.fromEntries(rpc.closes),
  bodies: http.requests,
  statuses: Object.fromEntries(http.statuses),
  ...{ rssBytes, violations },
};
console.log(JSON.stringify(summary, null, 2));
const found = [
  ...rpc.findings.flatMap(({ frames }) => frames),
  ...http.findings.map(({ request }) => request),
];
if (found.length > 0) {
  mkdirSync(FINDINGS, { recursive: true });
  found.forEach((bytes, i) => writeFileSync(join(FINDINGS, String(i)), bytes));
  console.log(`what was sent before is in ${FINDINGS}`);
}
if (violations.length > 0) process.exitCode = 1;
