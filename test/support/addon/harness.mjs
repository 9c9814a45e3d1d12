// What the scripts of test/integration/addon-lifetime.test.ts share.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export { Engine } from '../../../dist/native/engine.js';

export const OPTIONS = { intraOpThreads: 1, runnerThreads: 1, queueCapacity: 64 };

/** For a runtime whose lane nobody uses. */
export const NO_ANSWERS = {
  page: new ArrayBuffer(1 << 16),
  index: new Float64Array(3),
  accepted: new Float64Array(4),
  onAnswers: () => {},
};

export function modelPath(fixture) {
  return join(process.env.WARMSWAP_FIXTURES, fixture, 'model.onnx');
}

export function load(engine, fixture, onMapped) {
  return engine.load({ modelPath: modelPath(fixture), ...OPTIONS }, onMapped);
}

/** Runs `shift/1` on four times `x`; resolves to true if the answer is right. */
export async function shiftIsRight(model, x) {
  const data = new Uint8Array(Float32Array.of(x, x, x, x).buffer);
  const { outputs } = await model.infer({
    inputs: { x: { datatype: 'FP32', shape: [1, 4], data } },
  });
  const y = outputs.y.data;
  return [...new Float32Array(y.buffer, y.byteOffset, 4)].every((value) => value === x + 1);
}

/** The input tensors of a run of `slow/1` that nobody lives to see the end of. */
export function endlessInputs() {
  return {
    iterations: {
      datatype: 'INT64',
      shape: [],
      data: new Uint8Array(BigInt64Array.of(2n ** 50n).buffer),
    },
    x: { datatype: 'FP32', shape: [1], data: new Uint8Array(4) },
  };
}

/** Loads `slow/1` and starts an endless run; resolves once it has taken some processor time. */
export async function startEndlessRun(engine) {
  const model = await load(engine, 'slow/1');
  const run = model.infer({ inputs: endlessInputs() });
  run.catch(() => {});
  await untilBusy();
  return { model, run };
}

/** Resolves once this process has taken some processor time while the caller was idle. */
export async function untilBusy() {
  const before = process.cpuUsage();
  const used = () => Object.values(process.cpuUsage(before)).reduce((sum, us) => sum + us);
  while (used() < 50_000) await setTimeout(5);
}

/** Prints a line at once: unlike console.log it is never lost when the process exits. */
export function say(line) {
  writeSync(1, `${line}\n`);
}
