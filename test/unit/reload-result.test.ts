import { describe, expect, test } from 'vitest';
import type { GenerationPlan, ModelPlan, VersionFailure } from '../../src/registry/plan.js';
import { toReloadResult, type ReloadOutcome } from '../../src/supervisor/reload-result.js';
import { versionOptions } from '../support/version-options.js';

function serving(name: string, active: number, key = `${active}`): ModelPlan {
  const options = versionOptions();
  return {
    name,
    active,
    labels: {},
    versions: [{ version: active, fingerprint: 'print', modelPath: '', key, options }],
  };
}

const generation = (number: number, ...models: ModelPlan[]): GenerationPlan => ({
  generation: number,
  models,
});
const failure = (model: string, version: number): VersionFailure => ({
  model,
  version,
  key: `${version}`,
  code: 'INTERNAL',
  reason: 'cannot load',
});

const BEFORE = generation(4, serving('edges', 1), serving('faces', 7));

/** What came of wanting a generation that was committed, unless `outcome` says otherwise. */
function resultOf(wanted: GenerationPlan, outcome: Partial<ReloadOutcome> = {}) {
  return toReloadResult({
    before: BEFORE,
    after: wanted,
    wanted,
    swap: { outcome: 'committed', flipMs: 1 },
    failures: [],
    problems: [],
    ...outcome,
  });
}

test('nothing has changed where the same is wanted as before', () => {
  expect(resultOf({ ...BEFORE, generation: 5 }, { after: BEFORE, swap: undefined })).toEqual({
    generation: 4,
    changes: [],
  });
});

describe('a committed swap', () => {
  test('names the models that changed, with what was active and what is', () => {
    expect(resultOf(generation(5, serving('edges', 2), serving('faces', 7)))).toEqual({
      generation: 5,
      changes: [{ model: 'edges', from: 1, to: 2, result: 'committed' }],
    });
  });

  test('names a model that is new, one that is gone, and one whose files changed', () => {
    expect(resultOf(generation(5, serving('faces', 7, 'other'), serving('new', 1)))).toEqual({
      generation: 5,
      changes: [
        { model: 'edges', from: 1, to: null, result: 'committed' },
        { model: 'faces', from: 7, to: 7, result: 'committed' },
        { model: 'new', from: null, to: 1, result: 'committed' },
      ],
    });
  });
});

test('an aborted swap says of each model what was wanted, and why it was given up', () => {
  const wanted = generation(5, serving('edges', 2), serving('faces', 8));
  const swap = { outcome: 'aborted', reason: 'worker 0 took too long', failures: [] } as const;
  expect(resultOf(wanted, { after: BEFORE, swap })).toEqual({
    generation: 4,
    changes: [
      { model: 'edges', from: 1, to: 2, result: 'aborted', reason: 'worker 0 took too long' },
      { model: 'faces', from: 7, to: 8, result: 'aborted', reason: 'worker 0 took too long' },
    ],
  });
});

test('a version that failed is named with the reason, beside what was committed without it', () => {
  const wanted = generation(5, serving('edges', 1), serving('faces', 8));
  expect(resultOf(wanted, { failures: [failure('edges', 2), failure('new', 1)] })).toEqual({
    generation: 5,
    changes: [
      { model: 'faces', from: 7, to: 8, result: 'committed' },
      { model: 'edges', from: 1, to: 2, result: 'failed', reason: 'cannot load' },
      { model: 'new', from: null, to: 1, result: 'failed', reason: 'cannot load' },
    ],
  });
});

test('a version that is held back is named as ready, with the reason', () => {
  const held: VersionFailure = { ...failure('edges', 2), isServable: true };
  const edges = serving('edges', 1);
  const versions = [...edges.versions, ...serving('edges', 2).versions];
  const wanted = generation(5, { ...edges, versions }, serving('faces', 7));
  expect(resultOf(wanted, { failures: [held] })).toEqual({
    generation: 5,
    changes: [{ model: 'edges', from: 1, to: 2, result: 'ready', reason: 'cannot load' }],
  });
});

describe('a model that cannot be followed', () => {
  const unchanged = { after: BEFORE, swap: undefined };

  test('is refused with the reason', () => {
    const problems = [
      { model: 'edges', reason: 'model.yaml: unknown key lables' },
      { model: 'new', reason: 'no version can be served' },
    ];
    expect(resultOf(BEFORE, { ...unchanged, problems }).changes).toEqual([
      { model: 'edges', from: 1, to: 1, result: 'refused', reason: problems[0]?.reason },
      { model: 'new', from: null, to: null, result: 'refused', reason: problems[1]?.reason },
    ]);
  });

  test('because its version failed is named once, with the reason of the version', () => {
    const problems = [{ model: 'edges', reason: 'version 2 is wanted, but missing or failed' }];
    const failures = [failure('edges', 2)];
    expect(resultOf(BEFORE, { ...unchanged, problems, failures }).changes).toEqual([
      { model: 'edges', from: 1, to: 2, result: 'failed', reason: 'cannot load' },
    ]);
  });
});
