import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Engine, say, startEndlessRun } from './harness.mjs';

if (isMainThread) {
  const workers = [1, 2].map(() => new Worker(new URL(import.meta.url)));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  say('running');
  process.exit(0);
}
await startEndlessRun(new Engine());
parentPort.postMessage('running');
