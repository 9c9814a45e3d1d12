// Two worker threads and the main thread infer at the same time, each with a runtime of its own.
import { once } from 'node:events';
import { isMainThread, Worker } from 'node:worker_threads';
import { Engine, load, say, shiftIsRight } from './harness.mjs';

const workers = isMainThread ? [1, 2].map(() => new Worker(new URL(import.meta.url))) : [];
const exits = workers.map((worker) => once(worker, 'exit'));
const engine = new Engine();
const model = await load(engine, 'shift/1');
let right = 0;
for (let round = 0; round < 50; ++round) {
  const answers = await Promise.all([0, 1, 2, 3].map((i) => shiftIsRight(model, 10 * round + i)));
  right += answers.filter(Boolean).length;
}
await model.unload();
engine.close();
say(`${right} right`);
await Promise.all(exits);
