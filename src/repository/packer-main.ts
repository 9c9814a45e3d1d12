import { Engine, lowerPriorityOfProcess } from '../native/engine.js';
import { toWarmswapError } from '../rpc/errors.js';
import { ArtifactStore } from './artifact-store.js';
import type { FromPacker, PackJob, PackOrder } from './pack-messages.js';
import { packVersion } from './pack-version.js';

/**
 * Entry of a packer: a short-lived child of the supervisor, or of `warmswap pack`, at the lowest
 * priority. It gets one order, answers job by job, and ends.
 */

function send(message: FromPacker): void {
  process.send?.(message, () => {});
}

async function pack(job: PackJob, engine: Engine, { store }: PackOrder): Promise<void> {
  const { id, modelPath, device, sha256 } = job;
  try {
    const { artifact, ...packed } = await packVersion(modelPath, {
      engine,
      sha256,
      store: new ArtifactStore(store),
      device,
      onStep: (step) => send({ type: 'progress', id, step }),
    });
    send({ type: 'packed', id, ...artifact, ...packed });
  } catch (error) {
    const { code, message } = toWarmswapError(error);
    send({ type: 'failed', id, code, reason: message });
  }
}

async function run(order: PackOrder): Promise<void> {
  const engine = new Engine(order.ortLibrary);
  for (const job of order.jobs) await pack(job, engine, order);
  send({ type: 'done' });
  engine.close();
  process.disconnect();
}

lowerPriorityOfProcess();
process.once('message', (order: PackOrder) => void run(order));
// Without the supervisor nobody wants the artifact; what is half made is never served.
process.once('disconnect', () => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
