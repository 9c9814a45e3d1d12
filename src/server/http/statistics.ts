import type { EngineModel } from '../../native/engine.js';

type Stats = ReturnType<EngineModel['stats']>;
type Histogram = Stats['queueUs'];

/** Statistics of one version in this worker, in the shape of Triton's statistics extension. */
export function versionStatistics(model: string, version: number, stats: Stats): object {
  const { OK: succeeded, ...failed } = stats.requests;
  return {
    name: model,
    version: String(version),
    inference_count: stats.rowsIn,
    execution_count: runs(stats),
    inference_stats: {
      success: duration(succeeded, stats.queueUs.sum + computeUs(stats)),
      fail: duration(Object.values(failed).reduce((sum, count) => sum + count, 0)),
      queue: histogramDuration(stats.queueUs),
      compute_input: histogramDuration(stats.assembleUs),
      compute_infer: histogramDuration(stats.runUs),
      compute_output: histogramDuration(stats.splitUs),
      cache_hit: duration(0),
      cache_miss: duration(0),
    },
    batch_stats: [],
  };
}

function computeUs({ assembleUs, runUs, splitUs }: Stats): number {
  return assembleUs.sum + runUs.sum + splitUs.sum;
}

function runs({ runUs }: Stats): number {
  return count(runUs);
}

function histogramDuration(histogram: Histogram): object {
  return duration(count(histogram), histogram.sum);
}

function count({ counts }: Histogram): number {
  return counts.reduce((sum, counted) => sum + counted, 0);
}

/** Triton counts nanoseconds. */
function duration(count: number, microseconds = 0): object {
  return { count, ns: Math.round(microseconds * 1000) };
}
