import { fastApi } from '../peers/fastapi-pool/peer.js';
import { wsSingle } from '../peers/ws-onnxruntime-node/peer.js';
import { atLeast, notRun, type Check } from '../lib/check.js';
import { manyClients, pinned } from '../lib/client.js';
import type { BenchDaemon } from '../lib/daemon.js';
import { interleave } from '../lib/interleave.js';
import { mid } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { httpRequest, rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { startServer } from '../lib/start-server.js';
import { startPinned } from './latency.js';
import { BATCHING_YAML, compare } from './throughput.js';

/** Answers a second to 32 clients, mid model, batches formed by the daemon. */

const WS = {
  name: 'throughput, 32 clients, mid, batching ÷ ws + onnxruntime-node',
  budget: atLeast(2.5),
};
const FASTAPI = {
  name: 'throughput, 32 clients, mid, batching ÷ FastAPI + pool',
  budget: atLeast(8),
};

export const throughputBatching: Row = {
  name: 'throughput-batching',
  about: 'answers a second to 32 clients, mid model with batching ÷ ws server and FastAPI without',
  run: (settings) =>
    owning(async (own) => {
      const model = mid();
      const daemon = await own(startPinned(model, BATCHING_YAML));
      const problem = await batchingProblem(daemon);
      if (problem !== undefined) {
        return [WS, FASTAPI].map(({ name, budget }) => notRun(name, budget, problem));
      }
      return [await againstWs(settings, daemon), await againstFastApi(settings, daemon)];
    }),
};

async function againstWs({ repeats, duration }: Settings, daemon: BenchDaemon): Promise<Check> {
  const model = mid();
  return owning(async (own) => {
    const peer = await own(startServer(wsSingle, pinned(model)));
    const request = rpcRequest(model);
    const results = await interleave(repeats, {
      daemon: () => manyClients(daemon.url, request, duration),
      ws: () => manyClients(peer.url, request, duration),
    });
    return compare(WS.name, WS.budget, results.daemon, results.ws);
  });
}

async function againstFastApi(settings: Settings, daemon: BenchDaemon): Promise<Check> {
  const { repeats, duration } = settings;
  const problem = fastApi.problem();
  if (problem !== undefined) return notRun(FASTAPI.name, FASTAPI.budget, problem);
  const model = mid();
  return owning(async (own) => {
    const peer = await own(startServer(fastApi, pinned(model)));
    const results = await interleave(repeats, {
      daemon: () => manyClients(daemon.url, rpcRequest(model), duration),
      fastapi: () => manyClients(peer.url, httpRequest(model), duration),
    });
    return compare(FASTAPI.name, FASTAPI.budget, results.daemon, results.fastapi);
  });
}

/** Why the daemon forms no batches, if it does not. */
async function batchingProblem(daemon: BenchDaemon): Promise<string | undefined> {
  const status = await daemon.status();
  const problem = status.models.find(({ name }) => name === mid().name)?.problem;
  return problem === undefined ? undefined : `the daemon refuses it: ${withoutPath(problem)}`;
}

function withoutPath(problem: string): string {
  return problem.replace(/^\S*model\.yaml: /, '');
}
