import type { Flags } from '../config/load.js';
import { runDaemon } from '../supervisor/daemon.js';

export type ServeFlags = Flags & { config?: string };

/** `warmswap serve`: runs until a signal ends it. */
export async function runServe({ config, ...flags }: ServeFlags): Promise<void> {
  await runDaemon({ file: config, flags, environment: process.env });
}
