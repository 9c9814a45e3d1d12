import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFindings } from './corpus.js';
import { runServerFuzz } from './server-fuzz.js';
import { summary } from './summary.js';

/** `npm run test:fuzz:server -- [--count N] [--seed N] [--connections N]` */

const FINDINGS = join(import.meta.dirname, '../../build/server-fuzz');

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    connections: { type: 'string', default: '8' },
  },
});

const report = await runServerFuzz({
  count: Number(values.count),
  seed: Number(values.seed),
  connections: Number(values.connections),
});
const findings = [...report.rpc.findings, ...report.http.findings];
for (const violation of report.violations) console.log(`not as it must be: ${violation}`);
if (findings.length > 0) {
  writeFindings(FINDINGS, report.seed, findings);
  console.log(
    `what was sent is in ${FINDINGS}; a copy in test/server-fuzz/corpus is sent in every run`,
  );
}
console.log(summary(report));
if (report.violations.length > 0) process.exitCode = 1;
