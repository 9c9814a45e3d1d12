import { atMost, measured, type Check } from '../lib/check.js';
import { flawless, manyClientsOptions, serverCpu } from '../lib/client.js';
import { interleave } from '../lib/interleave.js';
import { PhasedLoad, seconds, type LoadOptions } from '../lib/load.js';
import { tiny } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { startEcho, type Echo } from '../lib/echo.js';
import { threadsProcessorUs } from '../lib/processes.js';
import { echoed, rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';
import { startPinned } from './latency.js';
import { BATCHING_YAML } from './throughput.js';

/**
 * Processor time of all server processes per request, tiny model. Busy servers save wake-ups, so it
 * is measured both with 32 clients in a closed loop and at a fixed rate that leaves them half idle.
 */

const BUDGET = atMost(1.5);
const STEADY_RATE = 5000;

export const processorTime: Row = {
  name: 'processor-time',
  about: 'processor time of the server per request, tiny model ÷ the same of an echo',
  run: (settings) =>
    owning(async (own) => {
      const echo = await own(startEcho(serverCpu()));
      const daemon = await own(startPinned(tiny()));
      const batching = await own(startPinned(tiny(), BATCHING_YAML));
      return [
        await compareTimes('closed loop, tiny', undefined, settings, { daemon, echo }),
        await compareTimes('closed loop, tiny, batching', undefined, settings, {
          daemon: batching,
          echo,
        }),
        await compareTimes(`${STEADY_RATE} a second, tiny`, STEADY_RATE, settings, {
          daemon,
          echo,
        }),
      ];
    }),
};

type Server = Pick<Echo, 'url' | 'pids'>;

async function compareTimes(
  how: string,
  rate: number | undefined,
  settings: Settings,
  { daemon, echo }: { daemon: Server; echo: Server },
): Promise<Check> {
  const request = rpcRequest(tiny());
  const pace = rate === undefined ? {} : { rate };
  const measure = (server: Server, asked: typeof request) =>
    usPerRequest(server, { ...manyClientsOptions(server.url, asked), ...pace }, settings);
  const us = await interleave(settings.repeats, {
    daemonUs: () => measure(daemon, request),
    echoUs: () => measure(echo, echoed(request)),
  });
  const name = `processor time a request, 32 clients, ${how} ÷ uWS echo`;
  return measured(name, BUDGET, ratios(us.daemonUs, us.echoUs), us);
}

async function usPerRequest(
  server: Server,
  options: LoadOptions,
  { duration }: Settings,
): Promise<number> {
  const load = await PhasedLoad.start(options);
  await seconds(duration.warmupSeconds);
  load.begin('measured');
  const before = threadsProcessorUs(server.pids());
  await seconds(duration.seconds);
  const after = threadsProcessorUs(server.pids());
  const { requests } = flawless(await load.finish('measured'));
  return (after - before) / requests;
}
