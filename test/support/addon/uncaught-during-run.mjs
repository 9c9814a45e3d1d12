import { Engine, say, startEndlessRun } from './harness.mjs';

await startEndlessRun(new Engine());
say('running');
throw new Error('nobody catches this');
