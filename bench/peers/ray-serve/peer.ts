import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../lib/child.js';
import { freePort } from '../../lib/free-port.js';
import { pythonOf, pythonProblem } from '../../lib/peer-packages.js';
import { threadsOfRun, toServer } from '../../lib/peer-process.js';
import { httpRequest } from '../../lib/requests.js';
import type { RunningServer, ServerKind, StartOptions } from '../../lib/server.js';

const NAME = 'ray-serve';
const ENVIRONMENT = {
  RAY_USAGE_STATS_ENABLED: '0',
  PYTHONDONTWRITEBYTECODE: '1',
  /** Replicas import model.py. */
  PYTHONPATH: import.meta.dirname,
};

/** An update has all replicas load the new model while they serve, and switch. */
export const rayServe: ServerKind = {
  name: 'Ray Serve',
  isHeavy: true,
  problem: () => pythonProblem(NAME),
  start: async (options) => {
    // Short, since Ray's sockets lie in it and their paths must be below 108 bytes.
    const folder = mkdtempSync(join(tmpdir(), 'ray-'));
    try {
      return await startIn(folder, options);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  },
};

async function startIn(
  folder: string,
  { model, workers, cpus }: StartOptions,
): Promise<RunningServer> {
  const port = await freePort();
  const args = [port, workers, threadsOfRun(workers, cpus), model.modelPath, folder].map(String);
  const child = new Child(pythonOf(NAME), [join(import.meta.dirname, 'app.py'), ...args], {
    cpus,
    stdin: 'pipe',
    environment: ENVIRONMENT,
  });
  let deployments = 0;
  const deployed = async () => {
    deployments++;
    await child.until(() => child.lines[deployments - 1]);
  };
  await deployed();
  return toServer(child, {
    url: `http://127.0.0.1:${port}/infer`,
    request: httpRequest,
    update: ({ modelPath }) => {
      child.process.stdin?.write(`${modelPath}\n`);
      return deployed();
    },
    stop: async () => {
      await child.stop(() => child.process.stdin?.end());
      rmSync(folder, { recursive: true, force: true });
    },
  });
}
