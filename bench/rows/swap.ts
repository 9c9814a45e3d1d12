import { atMost, measured, type Check } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { phaseOf, seconds, type LatencySeries, type LoadResult } from '../lib/load.js';
import { mid, otherMid } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import type { Row, Settings } from '../lib/row.js';
import { ratios } from '../lib/statistics.js';
import { startSteadyLoad } from '../lib/steady-load.js';
import { SwapSequence } from '../lib/swaps.js';

/** Swaps of the mid model under a steady load, two workers. */

const WORKERS = 2;
const CONNECTIONS = 16;
const RATE = 1000;
const SWAPS_A_REPEAT = 10;
const QUICK_SWAPS = 4;
const CALM_SECONDS = 0.25;
/** The old version drains after the commit: that still belongs to the swap. */
const SETTLE_SECONDS = 0.05;
/**
 * Some 8 s after their start V8 collects what processes have left lying about, in all of them at about
 * the same time, the benchmark's own too.
 */
const STARTED_SECONDS = 10;
/** Width of the buckets of the plot. */
const SERIES_MS = 10;
const P99_BUDGET = atMost(1.5);
const FLIP_BUDGET = atMost(1);
const FAILURE_BUDGET = atMost(0);

interface Outcome {
  steady: LoadResult;
  swapping: LoadResult;
  series: LatencySeries;
}

export const swapUnderLoad: Row = {
  name: 'swap',
  about: `failures, p99 and flip while the mid model is swapped, ${WORKERS} workers, ${RATE} requests a second`,
  run: (settings) =>
    owning(async (own) => {
      const model = mid();
      const daemon = await own(BenchDaemon.start({ models: [model], workers: WORKERS }));
      const swaps = new SwapSequence(daemon, model.name, [model, otherMid()]);
      await swaps.swapTimes(2);
      if (!settings.quick) await seconds(STARTED_SECONDS);
      const count = settings.quick ? QUICK_SWAPS : SWAPS_A_REPEAT;
      const outcomes: Outcome[] = [];
      for (let i = 0; i < settings.repeats; i++) {
        outcomes.push(await swapUnderOneLoad(daemon, swaps, count, settings));
      }
      keepLast(outcomes, settings);
      return [failures(outcomes, count), slowdown(outcomes, count), flips(daemon)];
    }),
};

async function swapUnderOneLoad(
  daemon: BenchDaemon,
  swaps: SwapSequence,
  count: number,
  { duration }: Settings,
): Promise<Outcome> {
  const pace = { connections: CONNECTIONS, rate: RATE, seriesMs: SERIES_MS };
  const load = await startSteadyLoad(daemon.url, rpcRequest(mid()), pace);
  await seconds(duration.warmupSeconds);
  for (let i = 0; i < count; i++) {
    load.begin('steady');
    await seconds(CALM_SECONDS);
    load.begin('swapping');
    swaps.publishNext();
    await swaps.swap();
    await seconds(SETTLE_SECONDS);
    load.begin('steady');
    swaps.forgetOld();
  }
  const { phases, series } = await load.finishWithSeries();
  return { steady: phaseOf(phases, 'steady'), swapping: phaseOf(phases, 'swapping'), series };
}

/** One repeat is enough to see what a swap looks like. */
function keepLast(outcomes: readonly Outcome[], { keep }: Settings): void {
  const last = outcomes.at(-1);
  if (!last) return;
  keep({
    plot: 'latency-across-swap',
    server: 'Warmswap',
    load: `mid model, ${WORKERS} workers, ${RATE} requests a second`,
    series: last.series,
    during: 'swapping',
  });
}

function failures(outcomes: readonly Outcome[], count: number): Check {
  const failed = outcomes.map(({ steady, swapping }) => steady.failures + swapping.failures);
  const requests = outcomes.map(({ steady, swapping }) => steady.requests + swapping.requests);
  const name = `failed requests, ${count} swaps`;
  return measured(name, FAILURE_BUDGET, failed, { requests }, { unit: 'failed' });
}

function slowdown(outcomes: readonly Outcome[], count: number): Check {
  const steadyP99Us = outcomes.map(({ steady }) => steady.p99);
  const swappingP99Us = outcomes.map(({ swapping }) => swapping.p99);
  const values = {
    swappingP99Us,
    steadyP99Us,
    swappingRequests: outcomes.map(({ swapping }) => swapping.requests),
    swapMs: outcomes.map(({ swapping }) => (swapping.seconds * 1000) / count),
  };
  return measured(
    'p99 while swapping ÷ steady p99',
    P99_BUDGET,
    ratios(swappingP99Us, steadyP99Us),
    values,
  );
}

/** The log line has the slowest worker's flip. */
function flips(daemon: BenchDaemon): Check {
  const flipMs = daemon
    .logged('reload')
    .flatMap((line) => (line.flipMs === undefined ? [] : [Number(line.flipMs)]));
  return measured(
    'the flip in the slowest worker',
    FLIP_BUDGET,
    flipMs,
    { flipMs },
    { unit: 'ms' },
  );
}
