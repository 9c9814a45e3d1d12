// Work that leaves a folder behind only when it is complete.
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Makes `into` atomically: `make(folder)` gets a temporary folder beside it and resolves to the
 * folder in there that becomes `into`. The rest is removed, also after a failure or a signal.
 */
export async function makeAtomically(into, make) {
  await mkdir(dirname(into), { recursive: true });
  const folder = await mkdtemp(join(dirname(into), '.partial-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const forgetSignals = exitOnSignals();
  process.once('exit', removeFolder);
  try {
    await moveOver(await make(folder), into);
  } finally {
    removeFolder();
    process.off('exit', removeFolder);
    forgetSignals();
  }
}

async function moveOver(from, into) {
  await rm(into, { recursive: true, force: true });
  await rename(from, into);
}

function exitOnSignals() {
  const exit = (signal) => process.exit(128 + constants.signals[signal]);
  for (const signal of SIGNALS) process.once(signal, exit);
  return () => SIGNALS.forEach((signal) => process.off(signal, exit));
}
