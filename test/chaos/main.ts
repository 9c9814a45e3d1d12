import { parseArgs } from 'node:util';
import { runChaos } from './chaos.js';

/** `npm run test:chaos -- [--seconds N] [--seed N] [--workers N] [--clients N]` */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '2' },
    clients: { type: 'string', default: '8' },
  },
});

const report = await runChaos({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  workers: Number(values.workers),
  clients: Number(values.clients),
});
console.log(JSON.stringify(report, null, 2));
if (report.violations.length > 0) process.exitCode = 1;
