import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type ConfigSources, type Flags } from '../config/load.js';
import type { DaemonConfig } from '../config/schema.js';
import { checkpointPath } from '../supervisor/checkpoint.js';
import { runDaemon } from '../supervisor/daemon.js';
import { UsageError } from './usage-error.js';

export type ServeFlags = Omit<Flags, 'watch'> & { config?: string; watch?: boolean };

/** `warmswap serve`: runs until a signal ends it. */
export async function runServe({ config, watch, ...others }: ServeFlags): Promise<void> {
  const flags = watch === undefined ? others : { ...others, watch: String(watch) };
  const sources: ConfigSources = { file: config, flags, environment: { ...process.env } };
  refuseMissingModels(loadConfig(sources));
  await runDaemon(sources);
}

/** A daemon that was killed may come back without its repository: what it serves is in its store. */
function refuseMissingModels({ models, state, store, listen }: DaemonConfig): void {
  if (existsSync(models) && statSync(models).isDirectory()) return;
  const identity = { models, host: listen.host, port: listen.port };
  if (existsSync(checkpointPath(state ?? join(store.path, 'state'), identity))) return;
  const what = existsSync(models) ? 'is no folder' : 'does not exist';
  throw new UsageError(
    `--models: ${models} ${what} (./models unless --models, WARMSWAP_MODELS or the file's models says otherwise)`,
  );
}
