import { Child } from './child.js';
import { loadGenerator } from './paths.js';
import type { PreparedRequest } from './requests.js';

/** Runs bench/load. Latencies are in microseconds. */

export interface LoadResult {
  phase: string;
  /** Good answers. */
  requests: number;
  /** badAnswers + lost. */
  failures: number;
  /** Errors, or not what was expected. */
  badAnswers: number;
  /** In flight when their connection ended, or never answered. */
  lost: number;
  /** Connections that the server ended. */
  disconnects: number;
  seconds: number;
  rps: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
  /** Processor time of the load generator as a share of one core, without polling in vain. */
  clientShare: number;
  /** It was the load generator that was measured, more than the server. */
  clientSaturated: boolean;
}

/** Of one load: what became of the requests that were due in each bucket. Times in milliseconds. */
export interface LatencySeries {
  bucketMs: number;
  /** Answers that were too many, or too late, to be kept. */
  leftOut: number;
  /** When phases began, oldest first. */
  marks: readonly { phase: string; ms: number }[];
  /** Without those in which nothing was due. */
  buckets: readonly SeriesBucket[];
}

export interface SeriesBucket {
  ms: number;
  /** Good answers; without any there are no latencies. */
  requests: number;
  failures: number;
  p50?: number;
  p99?: number;
  max?: number;
}

export interface LoadOptions {
  url: string;
  request: PreparedRequest;
  connections: number;
  /** Most requests in flight on one connection; 1 if left out. */
  depth?: number;
  /** Requests a second over all connections; closed loop if left out. */
  rate?: number;
  /**
   * Core of the load generator, its own: there it polls without sleeping, so that the server never
   * pays for waking it, as it would not with clients on other machines.
   */
  cpus?: string | undefined;
  /** Width of the buckets of a time series; none is kept if left out. */
  seriesMs?: number;
}

export interface Duration {
  warmupSeconds: number;
  seconds: number;
}

/** Warm-up, then one measured phase. */
export async function runLoad(options: LoadOptions, duration: Duration): Promise<LoadResult> {
  const load = await PhasedLoad.start(options);
  await seconds(duration.warmupSeconds);
  load.begin('measured');
  await seconds(duration.seconds);
  return load.finish('measured');
}

/** A load that goes on while its owner names the phases; what comes before the first is not counted. */
export class PhasedLoad {
  private constructor(private readonly child: Child) {}

  /** Resolves when all connections are open and requests flow. */
  static async start(options: LoadOptions): Promise<PhasedLoad> {
    const child = new Child(loadGenerator, toArguments(options), {
      cpus: options.cpus,
      stdin: 'pipe',
    });
    await child.until(() => (child.errors.includes('ready\n') ? true : undefined));
    return new PhasedLoad(child);
  }

  /** Ends the phase before; a name used again resumes that phase. */
  begin(phase: string): void {
    this.child.process.stdin?.write(`${phase}\n`);
  }

  /** Ends the load and gives one phase. */
  async finish(phase: string): Promise<LoadResult> {
    return phaseOf(await this.finishAll(), phase);
  }

  async finishAll(): Promise<Map<string, LoadResult>> {
    return phasesIn(await this.#lastLines());
  }

  /** The same of a load that was started with `seriesMs`. */
  async finishWithSeries(): Promise<{ phases: Map<string, LoadResult>; series: LatencySeries }> {
    const lines = await this.#lastLines();
    const [series] = lines.flatMap((line) => ('series' in line ? [line.series] : []));
    if (!series) throw new Error('the load was started without seriesMs');
    return { phases: phasesIn(lines), series };
  }

  async #lastLines(): Promise<LoadLine[]> {
    this.child.process.stdin?.end();
    const code = await this.child.exited();
    if (code !== 0) throw new Error(`the load generator failed: ${this.child.errors.trim()}`);
    return this.child.lines.map((line) => JSON.parse(line) as LoadLine);
  }
}

function phasesIn(lines: readonly LoadLine[]): Map<string, LoadResult> {
  return new Map(lines.flatMap((line) => ('phase' in line ? [[line.phase, line] as const] : [])));
}

type LoadLine = LoadResult | { series: LatencySeries };

export function phaseOf(results: ReadonlyMap<string, LoadResult>, phase: string): LoadResult {
  const result = results.get(phase);
  if (!result) throw new Error(`the load had no phase ${phase}`);
  return result;
}

export function seconds(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration * 1000));
}

function toArguments(options: LoadOptions): string[] {
  const { url, request, connections, depth = 1, rate = 0, cpus, seriesMs } = options;
  const { path, idOffset, expect, expectLength } = request;
  return [
    ...(cpus === undefined ? [] : ['--poll']),
    ...['--phases', '--url', url, '--body', path, '--expect', expect],
    ...['--connections', String(connections), '--depth', String(depth), '--rate', String(rate)],
    ...(idOffset === undefined ? [] : ['--id-offset', String(idOffset)]),
    ...(seriesMs === undefined ? [] : ['--series', String(seriesMs)]),
    ...(expectLength === undefined ? [] : ['--expect-length', String(expectLength)]),
  ];
}
