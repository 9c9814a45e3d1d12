import { connect } from '../../client/index.js';
import { RequestFrame } from '../../client/request-frame.js';
import { describeTarget, targetParams, type TargetFlags } from '../request-target.js';
import { measure, type BenchPlan } from './measure.js';
import { formatResult } from './report.js';
import { requestInputs, type InputFlags } from './request-inputs.js';

export interface BenchFlags extends InputFlags, TargetFlags {
  model: string;
  concurrency?: number;
  /** Requests a second. */
  rate?: number;
  connections?: number;
  /** Milliseconds. */
  duration: number;
  warmup: number;
  count?: number;
  json?: boolean;
}

/** `warmswap bench`: a load, and what became of it on standard output. */
export async function runBench(flags: BenchFlags): Promise<void> {
  const frames = await prepareFrames(flags);
  const result = await measure(planOf(flags), frames);
  console.log(flags.json ? JSON.stringify(result) : formatResult(result));
  if (result.succeeded === 0) process.exitCode = 1;
}

/** The requests, encoded once. */
async function prepareFrames(flags: BenchFlags): Promise<readonly RequestFrame[]> {
  const client = await connect(flags.url);
  try {
    const { inputs: signature } = await describeTarget(client, flags.model, flags);
    const inputs = await requestInputs(flags, signature);
    const params = targetParams(flags.model, flags);
    return inputs.map((each) => new RequestFrame('infer', { ...params, inputs: each }));
  } finally {
    await client.close();
  }
}

function planOf({ rate, concurrency = 1, ...flags }: BenchFlags): BenchPlan {
  const loop =
    rate === undefined
      ? ({ kind: 'closed', concurrency } as const)
      : ({ kind: 'open', ratePerSecond: rate } as const);
  const { model, url, connections, warmup, duration, count = Infinity } = flags;
  return { model, url, loop, connections, warmupMs: warmup, durationMs: duration, count };
}
