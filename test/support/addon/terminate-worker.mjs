import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Engine, load, say, shiftIsRight, startEndlessRun } from './harness.mjs';

if (isMainThread) await endWorker();
else await runForEver();

async function endWorker() {
  const model = await load(new Engine(), 'shift/1');
  const worker = new Worker(new URL(import.meta.url));
  await once(worker, 'message');
  const answers = Array.from({ length: 50 }, (_, i) => shiftIsRight(model, i));
  await worker.terminate();
  say('terminated');
  answers.push(shiftIsRight(model, 50));
  if ((await Promise.all(answers)).every(Boolean)) say('answered');
}

async function runForEver() {
  await startEndlessRun(new Engine());
  parentPort.postMessage('running');
  await once(parentPort, 'message');
}
