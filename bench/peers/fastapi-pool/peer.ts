import { Child } from '../../lib/child.js';
import type { BenchModel } from '../../lib/models.js';
import { pythonOf, pythonProblem } from '../../lib/peer-packages.js';
import { threadsOfRun, toServer } from '../../lib/peer-process.js';
import { httpRequest } from '../../lib/requests.js';
import type { ServerKind } from '../../lib/server.js';

const NAME = 'fastapi-pool';

/** An update starts a pool with the new model, switches to it, and ends the old one. */
export const fastApi: ServerKind = {
  name: 'FastAPI + pool',
  problem: () => pythonProblem(NAME),
  start: async ({ model, workers, cpus }) => {
    const environment = {
      MODEL_PATH: model.modelPath,
      INTRA_OP_THREADS: String(threadsOfRun(workers, cpus)),
      POOL_PROCESSES: String(workers),
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const child = new Child(pythonOf(NAME), UVICORN, { cpus, environment });
    const address = await child.until(() => /running on (http:\S+)/.exec(child.errors)?.[1]);
    return toServer(child, {
      url: `${address}/infer`,
      request: httpRequest,
      update: (next) => reload(`${address}/reload`, next),
    });
  },
};

const UVICORN = [
  ...['-m', 'uvicorn', 'app:app', '--app-dir', import.meta.dirname],
  ...['--host', '127.0.0.1', '--port', '0', '--loop', 'uvloop', '--http', 'httptools'],
  '--no-access-log',
];

async function reload(url: string, { modelPath }: BenchModel): Promise<void> {
  const body = JSON.stringify({ model_path: modelPath });
  const { ok, status } = await fetch(url, { method: 'POST', body });
  if (!ok) throw new Error(`${url} answered ${status}`);
}
