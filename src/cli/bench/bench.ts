import { RequestFrame } from '../../client/request-frame.js';
import {
  connectTarget,
  describeTarget,
  targetCredentials,
  targetParams,
  type TargetFlags,
} from '../request-target.js';
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
  const credentials = await targetCredentials(flags);
  const frames = await prepareFrames(flags, credentials);
  const result = await measure({ ...planOf(flags), credentials }, frames);
  console.log(flags.json ? JSON.stringify(result) : formatResult(result));
  if (result.succeeded === 0) process.exitCode = 1;
}

/** The requests, encoded once. */
async function prepareFrames(
  flags: BenchFlags,
  credentials: BenchPlan['credentials'],
): Promise<readonly RequestFrame[]> {
  const client = await connectTarget(flags, credentials);
  try {
    const { inputs: signature } = await describeTarget(client, flags.model, flags);
    const inputs = await requestInputs(flags, signature);
    const params = targetParams(flags.model, flags);
    return inputs.map((each) => new RequestFrame('infer', { ...params, inputs: each }));
  } finally {
    await client.close();
  }
}

function planOf({ rate, concurrency = 1, ...flags }: BenchFlags): Omit<BenchPlan, 'credentials'> {
  const loop =
    rate === undefined
      ? ({ kind: 'closed', concurrency } as const)
      : ({ kind: 'open', ratePerSecond: rate } as const);
  const { model, url, connections, warmup, duration, count = Infinity } = flags;
  return { model, url, loop, connections, warmupMs: warmup, durationMs: duration, count };
}
