import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine } from '../native/engine.js';
import type { FromWeightOwner, ToWeightOwner } from './weight-owner-messages.js';

/**
 * Entry of the process that holds the weights which the workers on one GPU share. It does what the
 * supervisor says, in that order. Without the supervisor it stays until the workers have ended, which
 * finish what they hold.
 */

type Start = Extract<ToWeightOwner, { type: 'start' }>;

const POLL_MS = 100;
/** Beyond the workers' own time to drain. */
const GRACE_MS = 5_000;

let engine: Engine | undefined;
let start: Start | undefined;
let holders: readonly number[] = [];

function send(message: FromWeightOwner): void {
  process.send?.(message, () => {});
}

async function load(modelPath: string): Promise<void> {
  try {
    if (!engine || !start) throw new Error('the owner of shared weights has not been started');
    send({ type: 'loaded', modelPath, slab: await engine.shareWeights(modelPath, start.gpu) });
  } catch (error) {
    send({ type: 'failed', modelPath, reason: (error as Error).message });
  }
}

async function onMessage(message: ToWeightOwner): Promise<void> {
  switch (message.type) {
    case 'start':
      start = message;
      engine = new Engine(message.ortLibrary);
      return;
    case 'load':
      return load(message.modelPath);
    case 'free':
      return engine?.freeWeights(message.slab);
    case 'holders':
      holders = message.pids;
  }
}

async function onDisconnect(): Promise<never> {
  const ends = performance.now() + (start?.drainTimeoutMs ?? 0) + GRACE_MS;
  const isHeld = () => holders.some((pid) => existsSync(`/proc/${pid}`));
  while (isHeld() && performance.now() < ends) await sleep(POLL_MS);
  process.exit(0);
}

function fail(error: unknown): never {
  console.error(`owner of shared weights: ${(error as Error).message}`);
  process.exit(1);
}

process.on('message', (message: ToWeightOwner) => void onMessage(message).catch(fail));
process.once('disconnect', () => void onDisconnect());
process.on('unhandledRejection', fail);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
