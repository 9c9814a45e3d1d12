import { connect } from '../../client/index.js';
import { RequestFrame } from '../../client/request-frame.js';
import { describeChosen, type VersionChoice } from '../described-model.js';
import { measure, type BenchPlan } from './measure.js';
import { formatResult } from './report.js';
import { requestInputs, type InputFlags, type Inputs } from './request-inputs.js';

export interface BenchFlags extends InputFlags, VersionChoice {
  model: string;
  url: string;
  concurrency?: number;
  /** Requests a second. */
  rate?: number;
  connections?: number;
  /** Milliseconds. */
  duration: number;
  warmup: number;
  count?: number;
  priority?: number;
  /** Milliseconds. */
  deadline?: number;
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
    const { inputs: signature } = await describeChosen(client, flags.model, flags);
    const inputs = await requestInputs(flags, signature);
    return inputs.map((each) => new RequestFrame('infer', toParams(flags, each)));
  } finally {
    await client.close();
  }
}

function toParams(flags: BenchFlags, inputs: Inputs): Record<string, unknown> {
  const { model, version, label, priority, deadline: deadlineMs } = flags;
  const params = Object.entries({ model, version, label, inputs, priority, deadlineMs });
  return Object.fromEntries(params.filter(([, value]) => value !== undefined));
}

function planOf({ rate, concurrency = 1, ...flags }: BenchFlags): BenchPlan {
  const loop =
    rate === undefined
      ? ({ kind: 'closed', concurrency } as const)
      : ({ kind: 'open', ratePerSecond: rate } as const);
  const { model, url, connections, warmup, duration, count = Infinity } = flags;
  return { model, url, loop, connections, warmupMs: warmup, durationMs: duration, count };
}
