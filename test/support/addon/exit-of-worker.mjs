import { once } from 'node:events';
import { isMainThread, Worker } from 'node:worker_threads';
import { Engine, load, say, shiftIsRight, startEndlessRun } from './harness.mjs';

if (isMainThread) {
  const model = await load(new Engine(), 'shift/1');
  const [code] = await once(new Worker(new URL(import.meta.url)), 'exit');
  say(`worker exited with ${code}`);
  if (await shiftIsRight(model, 1)) say('answered');
} else {
  await startEndlessRun(new Engine());
  process.exit(7);
}
