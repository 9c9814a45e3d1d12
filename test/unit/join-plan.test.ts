import { expect, test } from 'vitest';
import type { ModelPlan } from '../../src/registry/plan.js';
import { withoutFailed } from '../../src/supervisor/join-plan.js';
import { versionOptions } from '../support/version-options.js';

const options = versionOptions();
const model: ModelPlan = {
  name: 'm',
  active: 3,
  labels: { old: 2 },
  versions: [1, 2, 3].map((version) => ({
    ...{ version, modelPath: '', fingerprint: '', key: `${version}`, options },
  })),
};
const failed = (name: string, version: number) => ({
  ...{ model: name, version, key: `${version}`, code: 'INTERNAL', reason: 'gone' },
});
const numbers = (plans: readonly ModelPlan[]) =>
  plans.map(({ versions }) => versions.map(({ version }) => version));

test('a version that nobody is sent to is left out alone', () => {
  expect(numbers(withoutFailed(model, [failed('m', 1)]))).toEqual([[2, 3]]);
  expect(withoutFailed(model, [failed('other', 1)])).toEqual([model]);
});

test.each([2, 3])(
  'the model is left out with version %i, which has a label or is active',
  (version) => {
    expect(withoutFailed(model, [failed('m', version)])).toEqual([]);
  },
);
