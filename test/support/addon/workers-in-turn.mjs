// The main thread never loads the addon, so that it may come and go with each worker thread.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

for (let turn = 0; turn < 4; ++turn) {
  const worker = new Worker(new URL('end-without-unload.mjs', import.meta.url));
  await once(worker, 'exit');
}
