import { expect, test } from 'vitest';
import type { EngineModel, EngineRequest, EngineResult } from '../../src/native/engine.js';
import { nanProblem } from '../../src/registry/nan-check.js';
import { Version } from '../../src/registry/version.js';
import type { Tensor } from '../../src/rpc/tensor.js';
import { versionOptions } from '../support/version-options.js';

const fp32 = (...values: number[]): Tensor => ({
  datatype: 'FP32',
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});

const step = { what: 'zeros for', inputs: { x: fp32(0) } };
const asked: EngineRequest[] = [];

/** An active version that answers y with these values, or fails. */
function activeAnswering(...values: number[]): Version {
  const warmup = { runs: 1, shapes: {}, maxDurationMs: 1 };
  const options = versionOptions({ warmup });
  const active = new Version('m', { version: 4, modelPath: '', fingerprint: '', key: '', options });
  active.attach({
    signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }], outputs: [] },
    infer(request: EngineRequest): Promise<EngineResult> {
      asked.push(request);
      const timing = { queueUs: 0, computeUs: 0, batchSize: 1 };
      if (values.length === 0) return Promise.reject(new Error('overloaded'));
      return Promise.resolve({ outputs: { y: fp32(...values) }, timing });
    },
  } as unknown as EngineModel);
  return active;
}

test('NaN where the active version has none is a problem', async () => {
  expect(await nanProblem(step, { y: fp32(1, NaN) }, activeAnswering(1, 2))).toBe(
    "output 'y' has NaN in the answer to zeros for where version 4, the active one, has none",
  );
  expect(asked.at(-1)).toEqual({ inputs: step.inputs, priority: 2 });
});

test.each([
  ['the active version has it as well', step, { y: fp32(NaN) }, activeAnswering(NaN)],
  ['there is no active version', step, { y: fp32(NaN) }, undefined],
  ['the active version fails', step, { y: fp32(NaN) }, activeAnswering()],
  ['the active version has no such output', step, { z: fp32(NaN) }, activeAnswering(1)],
  [
    'the active version does not take the request',
    { ...step, inputs: { x: fp32(0, 0) } },
    { y: fp32(NaN) },
    activeAnswering(1),
  ],
])('NaN is no problem where %s', async (_, request, outputs, active) => {
  expect(await nanProblem(request, outputs, active)).toBeUndefined();
});

test('the active version is not asked where there is no NaN', async () => {
  asked.length = 0;
  expect(await nanProblem(step, { y: fp32(1) }, activeAnswering(1))).toBeUndefined();
  expect(asked).toEqual([]);
});
