import { atMost, measured, type Check } from '../lib/check.js';
import { coreCount } from '../lib/affinity.js';
import { clientNotes, oneClient, serverCpu } from '../lib/client.js';
import { BenchDaemon } from '../lib/daemon.js';
import { interleave } from '../lib/interleave.js';
import { mid, tiny, type BenchModel } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { startEcho } from '../lib/echo.js';
import { InProcessSession } from '../lib/in-process-session.js';
import { echoed, rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';

/** RPC p50 with one client, one server process. */

const TINY_BUDGET = atMost(1.15);
const MID_BUDGET = atMost(1.3);

export const latencyTiny: Row = {
  name: 'latency-tiny',
  about: 'p50 of one client, tiny model ÷ p50 of a uWebSockets.js echo of the same frames',
  run: (settings) =>
    owning(async (own) => {
      const model = tiny();
      const echo = await own(startEcho(serverCpu()));
      const daemon = await own(startPinned(model));
      const request = rpcRequest(model);
      const { duration } = settings;
      const results = await interleave(settings.repeats, {
        daemon: () => oneClient(daemon.url, request, duration),
        echo: () => oneClient(echo.url, echoed(request), duration),
      });
      const daemonUs = results.daemon.map(({ p50 }) => p50);
      const echoUs = results.echo.map(({ p50 }) => p50);
      const values = { daemonUs, echoUs };
      const notes = clientNotes([...results.daemon, ...results.echo]);
      return [
        measured('p50, 1 client, tiny ÷ uWS echo', TINY_BUDGET, ratios(daemonUs, echoUs), values, {
          notes,
        }),
      ];
    }),
};

export const latencyMid: Row = {
  name: 'latency-mid',
  about: 'p50 of one client, mid model ÷ (p50 of the echo + p50 of an in-process run)',
  run: async ({ repeats, duration }) => [
    await besideInProcessRun(mid(), 'mid', { repeats, duration }),
  ],
};

/** p50 of one client ÷ (p50 of the echo of the same frames + p50 of a run in a process). */
export function besideInProcessRun(
  model: BenchModel,
  name: string,
  pace: Pick<Settings, 'repeats' | 'duration'>,
): Promise<Check> {
  return owning(async (own) => measureBeside(name, pace, await startServers(model, own)));
}

type Own = Parameters<Parameters<typeof owning>[0]>[0];

async function startServers(model: BenchModel, own: Own) {
  const cpus = serverCpu();
  return {
    model,
    echo: await own(startEcho(cpus)),
    daemon: await own(startPinned(model)),
    // More threads of its own would put themselves on other cores.
    session: await own(InProcessSession.create(model, { cpus, threads: coreCount(cpus) })),
  };
}

async function measureBeside(
  name: string,
  { repeats, duration }: Pick<Settings, 'repeats' | 'duration'>,
  { model, echo, daemon, session }: Awaited<ReturnType<typeof startServers>>,
): Promise<Check> {
  const request = rpcRequest(model);
  const us = await interleave(repeats, {
    daemonUs: async () => (await oneClient(daemon.url, request, duration)).p50,
    echoUs: async () => (await oneClient(echo.url, echoed(request), duration)).p50,
    runUs: () => session.runP50(model, 1, duration.seconds),
  });
  const reference = us.echoUs.map((echoUs, i) => echoUs + (us.runUs[i] ?? NaN));
  const title = `p50, 1 client, ${name} ÷ (uWS echo + in-process run)`;
  return measured(title, MID_BUDGET, ratios(us.daemonUs, reference), us);
}

/** One worker that shares a core with its supervisor. */
export function startPinned(model: BenchModel, yaml?: string): Promise<BenchDaemon> {
  return BenchDaemon.start({
    models: [model],
    workers: 1,
    cpus: serverCpu(),
    ...(yaml === undefined ? {} : { yaml: { [model.name]: yaml } }),
  });
}
