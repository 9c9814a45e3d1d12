import { Engine, say, startEndlessRun } from './harness.mjs';

await startEndlessRun(new Engine());
say('running');
process.exit(0);
