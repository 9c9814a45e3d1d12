import { createLogger } from '../telemetry/log.js';
import type { FromWorker, ToWorker } from './messages.js';
import { Worker } from './worker.js';

/** Entry of a worker process. The supervisor forks it and sends `start` first. */

function send(message: FromWorker): void {
  // The supervisor may be gone by now; `disconnect` tells.
  process.send?.(message, () => {});
}

function fail(error: unknown): never {
  createLogger('worker', 'error').fatal(
    { error: String(error), stack: (error as Error).stack },
    'worker failed',
  );
  process.exit(1);
}

let worker: Worker | undefined;

async function drainAndExit(): Promise<void> {
  await worker?.drain();
  process.exit(0);
}

async function onMessage(message: ToWorker): Promise<void> {
  if (message.type === 'start') {
    const { settings } = message;
    worker = new Worker(settings, send, createLogger(`worker-${settings.id}`, settings.logLevel));
  } else if (message.type === 'drain') {
    await drainAndExit();
  } else {
    await worker?.handle(message);
  }
}

process.on('message', (message: ToWorker) => void onMessage(message).catch(fail));
// A supervisor that died leaves its workers to finish what they hold.
process.on('disconnect', () => void drainAndExit().catch(fail));
process.on('unhandledRejection', fail);
// Signals of a terminal reach the whole group; the supervisor decides what becomes of its workers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
