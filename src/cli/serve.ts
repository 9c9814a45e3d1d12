import type { Flags } from '../config/load.js';
import { runDaemon } from '../supervisor/daemon.js';

export type ServeFlags = Omit<Flags, 'watch'> & { config?: string; watch?: boolean };

/** `warmswap serve`: runs until a signal ends it. */
export async function runServe({ config, watch, ...others }: ServeFlags): Promise<void> {
  const flags = watch === undefined ? others : { ...others, watch: String(watch) };
  await runDaemon({ file: config, flags, environment: process.env });
}
