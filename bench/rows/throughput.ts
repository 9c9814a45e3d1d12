import { fastApi } from '../peers/fastapi-pool/peer.js';
import { wsSingle } from '../peers/ws-onnxruntime-node/peer.js';
import { atLeast, measured, notRun, type Budget, type Check } from '../lib/check.js';
import { clientNotes, manyClients, pinned, serverCpu } from '../lib/client.js';
import { startEcho } from '../lib/echo.js';
import { interleave } from '../lib/interleave.js';
import type { LoadResult } from '../lib/load.js';
import { tiny } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { echoed, httpRequest, rpcRequest } from '../lib/requests.js';
import type { Row } from '../lib/row.js';
import { startServer } from '../lib/start-server.js';
import { ratios } from '../lib/statistics.js';
import { startPinned } from './latency.js';

/** Answers a second to 32 clients, tiny model, one server process each. */

const ECHO_BUDGET = atLeast(0.9);
const WS_BUDGET = atLeast(1.8);
const FASTAPI_BUDGET = atLeast(30);
export const BATCHING_YAML = 'batching: { maxBatch: 32 }\n';
const TO_FASTAPI = 'throughput, 32 clients, tiny ÷ FastAPI + process pool';
const BATCHING_TO_FASTAPI = 'throughput, 32 clients, tiny, batching ÷ FastAPI + process pool';

export const throughputTiny: Row = {
  name: 'throughput-tiny',
  about: 'answers a second to 32 clients, tiny model ÷ the same of an echo and of a ws server',
  run: ({ repeats, duration }) =>
    owning(async (own) => {
      const model = tiny();
      const echo = await own(startEcho(serverCpu()));
      const daemon = await own(startPinned(model));
      const batching = await own(startPinned(model, BATCHING_YAML));
      const peer = await own(startServer(wsSingle, pinned(model)));
      const request = rpcRequest(model);
      const results = await interleave(repeats, {
        daemon: () => manyClients(daemon.url, request, duration),
        batching: () => manyClients(batching.url, request, duration),
        echo: () => manyClients(echo.url, echoed(request), duration),
        ws: () => manyClients(peer.url, request, duration),
      });
      return [
        ['tiny', results.daemon] as const,
        ['tiny, batching', results.batching] as const,
      ].flatMap(([what, ours]) => {
        const name = `throughput, 32 clients, ${what} ÷`;
        return [
          compare(`${name} uWS echo`, ECHO_BUDGET, ours, results.echo),
          compare(`${name} ws + onnxruntime-node`, WS_BUDGET, ours, results.ws),
        ];
      });
    }),
};

export const throughputFastApi: Row = {
  name: 'throughput-fastapi',
  about: 'answers a second to 32 clients, tiny model ÷ the same of FastAPI with a process pool',
  run: async ({ repeats, duration }) => {
    const problem = fastApi.problem();
    if (problem !== undefined) {
      return [TO_FASTAPI, BATCHING_TO_FASTAPI].map((name) => notRun(name, FASTAPI_BUDGET, problem));
    }
    return owning(async (own) => {
      const model = tiny();
      const daemon = await own(startPinned(model));
      const batching = await own(startPinned(model, BATCHING_YAML));
      const peer = await own(startServer(fastApi, pinned(model)));
      const results = await interleave(repeats, {
        daemon: () => manyClients(daemon.url, rpcRequest(model), duration),
        batching: () => manyClients(batching.url, rpcRequest(model), duration),
        fastapi: () => manyClients(peer.url, httpRequest(model), duration),
      });
      return [
        compare(TO_FASTAPI, FASTAPI_BUDGET, results.daemon, results.fastapi),
        compare(BATCHING_TO_FASTAPI, FASTAPI_BUDGET, results.batching, results.fastapi),
      ];
    });
  },
};

/** Daemon ÷ peer, repeat by repeat. */
export function compare(
  name: string,
  budget: Budget,
  daemon: readonly LoadResult[],
  peer: readonly LoadResult[],
): Check {
  const daemonRps = daemon.map(({ rps }) => rps);
  const peerRps = peer.map(({ rps }) => rps);
  const notes = clientNotes([...daemon, ...peer]);
  const values = { daemonRps, peerRps };
  return measured(name, budget, ratios(daemonRps, peerRps), values, { notes });
}
