import type { Flags } from '../config/load.js';
import { loadBinding } from '../native/binding.js';
import { runDaemon } from '../supervisor/daemon.js';

export type ServeFlags = Omit<Flags, 'watch'> & { config?: string; watch?: boolean };

/** `warmswap serve`: runs until a signal ends it. Rejects with FAILED_PRECONDITION where there is no addon. */
export async function runServe({ config, watch, ...others }: ServeFlags): Promise<void> {
  // The workers are who needs it; without it each of them would end and be started again.
  loadBinding();
  const flags = watch === undefined ? others : { ...others, watch: String(watch) };
  await runDaemon({ file: config, flags, environment: process.env });
}
