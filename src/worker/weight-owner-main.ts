import { Engine } from '../native/engine.js';
import { createLogger } from '../telemetry/log.js';
import type { ToWeightOwner } from './weight-owner-messages.js';
import { WeightOwner } from './weight-owner.js';

/** Entry of the process that holds the weights which the workers on one GPU share. */

const log = createLogger('weight-owner', 'error');
const owner = new WeightOwner({
  openEngine: (ortLibrary) => new Engine(ortLibrary),
  send: (message) => process.send?.(message, () => {}),
  log,
});

function fail(error: unknown): never {
  log.fatal({ error: String(error), stack: (error as Error).stack }, 'owner of weights failed');
  process.exit(1);
}

process.on('message', (message: ToWeightOwner) => void owner.handle(message).catch(fail));
process.once('disconnect', () => void owner.outliveHolders().then(() => process.exit(0), fail));
process.on('unhandledRejection', fail);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
