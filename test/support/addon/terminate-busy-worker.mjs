// Ends worker threads in the middle of a storm of short runs.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Engine, load, say, shiftIsRight } from './harness.mjs';

const WORKERS = 8;

if (isMainThread) for (let i = 0; i < WORKERS; ++i) await endWorker();
else await inferForEver();

async function endWorker() {
  const worker = new Worker(new URL(import.meta.url));
  await once(worker, 'message');
  await worker.terminate();
  say('terminated');
}

async function inferForEver() {
  const model = await load(new Engine(), 'shift/1');
  await shiftIsRight(model, 0);
  parentPort.postMessage('running');
  await Promise.all(Array.from({ length: 16 }, () => inferAgainAndAgain(model)));
}

async function inferAgainAndAgain(model) {
  for (let i = 0; ; ++i) await shiftIsRight(model, i);
}
