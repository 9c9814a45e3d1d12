import { existsSync, statSync } from 'node:fs';
import { ConfigError } from '../config/parse.js';
import type { DaemonConfig } from '../config/schema.js';
import { storeProblem } from '../repository/store-folder.js';
import { checkpointPath, stateFolder } from './checkpoint.js';

/** Throws ConfigError where the repository is not there or the store cannot be written. */
export async function checkFolders(config: DaemonConfig): Promise<void> {
  const { models, listen } = config;
  const identity = { models, host: listen.host, port: listen.port };
  const isThere = existsSync(models) && statSync(models).isDirectory();
  // A daemon that was killed comes back without its repository: what it serves is in its store.
  if (!isThere && !existsSync(checkpointPath(stateFolder(config), identity))) {
    const what = existsSync(models) ? 'is no folder' : 'does not exist';
    const origin = "./models unless --models, WARMSWAP_MODELS or the file's models says otherwise";
    throw new ConfigError('--models', [`${models} ${what} (${origin})`]);
  }
  const problem = await storeProblem(config.store.path);
  if (problem !== undefined) throw new ConfigError('store.path', [problem]);
}
