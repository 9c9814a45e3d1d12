import { wsSingle } from '../peers/ws-onnxruntime-node/peer.js';
import { atLeast, type Check } from '../lib/check.js';
import { manyClients, pinned } from '../lib/client.js';
import { interleave } from '../lib/interleave.js';
import { convolutional, transformer, type BenchModel } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { startServer } from '../lib/start-server.js';
import { daemonServer } from '../lib/daemon-server.js';
import { besideInProcessRun } from './latency.js';
import { BATCHING_YAML, compare } from './throughput.js';

/** What the other rows measure with perceptrons, with models of other shapes; one server process. */

const MODELS = [transformer, convolutional];
/** Such models gain little by batches on a processor: not to be behind is what can be asked for. */
const THROUGHPUT_BUDGET = atLeast(1);

export const modelShapes: Row = {
  name: 'model-shapes',
  about:
    'transformer and convolutional model: p50 of one client ÷ (echo + in-process run); answers a second ÷ those of a ws server',
  run: async ({ quick, peers }) => {
    const checks: Check[] = [];
    for (const model of MODELS) {
      checks.push(await besideInProcessRun(model(), model().name, peers));
      if (!quick) checks.push(await throughput(model(), peers));
    }
    return checks;
  },
};

function throughput(model: BenchModel, { repeats, duration }: Settings['peers']): Promise<Check> {
  return owning(async (own) => {
    const daemon = await own(startServer(daemonServer({ yaml: BATCHING_YAML }), pinned(model)));
    const peer = await own(startServer(wsSingle, pinned(model)));
    const results = await interleave(repeats, {
      daemon: () => manyClients(daemon.url, rpcRequest(model), duration),
      ws: () => manyClients(peer.url, rpcRequest(model), duration),
    });
    const name = `throughput, 32 clients, ${model.name}, batching ÷ ws + onnxruntime-node`;
    return compare(name, THROUGHPUT_BUDGET, results.daemon, results.ws);
  });
}
