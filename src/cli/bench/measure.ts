import type { RequestFrame } from '../../client/request-frame.js';
import { UsageError } from '../usage-error.js';
import { ClosedLoop } from './closed-loop.js';
import { Connections } from './connections.js';
import { Interruption } from './interruption.js';
import type { Load, LoadEnd, LoadSettings } from './load.js';
import { OpenLoop } from './open-loop.js';
import { Progress } from './progress.js';
import { Recording } from './recording.js';
import { toResult, type BenchResult } from './result.js';

export interface BenchPlan extends Pick<BenchResult, 'model' | 'url' | 'loop'> {
  connections: number | undefined;
  /** 0: none. */
  warmupMs: number;
  durationMs: number;
  /** Requests after the warm-up; Infinity: no bound. */
  count: number;
}

const DEFAULT_CONNECTIONS = 8;
/** What a daemon allows a connection by default. */
const MOST_IN_FLIGHT = 256;
/** Over all connections. */
const MOST_BYTES_IN_FLIGHT = 256 * 2 ** 20;

/** Opens the connections, warms up, measures. SIGINT ends the load early. */
export async function measure(
  plan: BenchPlan,
  frames: readonly RequestFrame[],
): Promise<BenchResult> {
  const { model, url, loop, warmupMs, durationMs, count } = plan;
  const room = roomFor(plan, frames);
  const connections = await Connections.open(url, {
    connections: room.connections,
    maxInflightPerConnection: room.inFlight,
  });
  const interruption = new Interruption();
  const run = (phase: string, limits: Limits, recording: Recording) =>
    runPhase(phase, loop, { connections, frames, recording, ...limits }, interruption);
  try {
    if (warmupMs > 0) {
      await run('warming up', { durationMs: warmupMs, maxCount: Infinity }, new Recording());
    }
    const before = { busy: performance.eventLoopUtilization(), lost: connections.disconnects };
    const recording = new Recording();
    const end = await run('measuring', { durationMs, maxCount: count }, recording);
    return toResult({ model, url, loop, connections: room.connections }, recording, end, {
      disconnects: connections.disconnects - before.lost,
      eventLoopUtilization: performance.eventLoopUtilization(before.busy).utilization,
    });
  } finally {
    interruption.end();
    await connections.close();
  }
}

type Limits = Pick<LoadSettings, 'durationMs' | 'maxCount'>;

async function runPhase(
  phase: string,
  loop: BenchPlan['loop'],
  settings: LoadSettings,
  interruption: Interruption,
): Promise<LoadEnd> {
  const load: Load =
    loop.kind === 'closed'
      ? new ClosedLoop(settings, loop.concurrency)
      : new OpenLoop(settings, loop.ratePerSecond);
  interruption.stops(load);
  const progress = new Progress(process.stderr, phase, settings.durationMs, settings.recording);
  try {
    return await load.run();
  } finally {
    progress.end();
  }
}

/** Throws UsageError for more requests at a time than the connections take. */
function roomFor({ loop, connections }: BenchPlan, frames: readonly RequestFrame[]) {
  const wanted = loop.kind === 'closed' ? loop.concurrency : DEFAULT_CONNECTIONS;
  const enough = Math.max(
    Math.min(wanted, DEFAULT_CONNECTIONS),
    Math.ceil(wanted / MOST_IN_FLIGHT),
  );
  const number = connections ?? enough;
  const largest = frames.reduce((most, { byteLength }) => Math.max(most, byteLength), 1);
  const inFlight = Math.floor(MOST_BYTES_IN_FLIGHT / (number * largest));
  const room = { connections: number, inFlight: Math.max(1, Math.min(inFlight, MOST_IN_FLIGHT)) };
  if (loop.kind === 'open' || wanted <= number * room.inFlight) return room;
  throw new UsageError(
    `${number} connections take ${room.inFlight} requests of ${largest} bytes each, which is less than --concurrency ${wanted}`,
  );
}
