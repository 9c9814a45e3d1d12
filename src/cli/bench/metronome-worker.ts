import { parentPort } from 'node:worker_threads';
import { IS_PENDING, IS_STOPPED, type Beat } from './beat.js';

/** The thread of a Metronome: sleeps from tick to tick, until it is stopped. */

parentPort?.once('message', ({ startNs, intervalMs, shared }: Beat) => {
  const flags = new Int32Array(shared);
  for (let tick = 0; ;) {
    const elapsedMs = Number(process.hrtime.bigint() - startNs) / 1e6;
    const waitMs = tick * intervalMs - elapsedMs;
    if (waitMs > 0) Atomics.wait(flags, IS_STOPPED, 0, waitMs);
    if (Atomics.load(flags, IS_STOPPED) === 1) return;
    if (Atomics.exchange(flags, IS_PENDING, 1) === 0) parentPort?.postMessage(null);
    tick = Math.max(tick, Math.floor(elapsedMs / intervalMs)) + 1;
  }
});
