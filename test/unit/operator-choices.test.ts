import { describe, expect, test } from 'vitest';
import { validate } from '../../src/config/parse.js';
import { modelSchema } from '../../src/config/schema.js';
import type { ModelPlan } from '../../src/registry/plan.js';
import type { RepositoryModel } from '../../src/repository/scan.js';
import {
  activate,
  effectiveLabels,
  load,
  removeLabel,
  setLabel,
  unload,
} from '../../src/supervisor/operator-choices.js';
import { versionOptions } from '../support/version-options.js';

const model: RepositoryModel = {
  name: 'm',
  config: validate(modelSchema, { labels: { stable: 1 } }, 'model.yaml'),
  versions: [1, 2, 3].map((version) => ({
    ...{ version, modelPath: '', fingerprint: '', warmupFiles: [], goldenFiles: [] },
  })),
};
const options = versionOptions();
const served: ModelPlan = {
  name: 'm',
  active: 3,
  labels: { stable: 1 },
  versions: [1, 2, 3].map((version) => ({
    ...{ version, modelPath: '', fingerprint: '', key: `${version}`, options },
  })),
};
const context = { model, served };

test('an activation knows the newest version of its time, and serves the model again', () => {
  const before = { isUnloaded: true, unloaded: [2] } as const;
  expect(activate(2, true)(before, context)).toEqual({
    unloaded: [],
    activation: { version: 2, newestKnown: 3, allowSignatureChange: true },
  });
});

test('load and unload undo each other', () => {
  const unloaded = unload(2)({ loaded: [2] }, context);
  expect(unloaded).toEqual({ loaded: [], unloaded: [2] });
  expect(load(2)(unloaded, context)).toEqual({ loaded: [2], unloaded: [] });
  expect(load()(unload()({ loaded: [2] }, context), context)).toEqual({ loaded: [2] });
});

test('a label remembers what model.yaml said of it', () => {
  expect(setLabel('canary', 2)({}, context).labels).toEqual({
    canary: { version: 2, inFile: null },
  });
  expect(setLabel('stable', 2)({}, context).labels).toEqual({ stable: { version: 2, inFile: 1 } });
  expect(removeLabel('stable')({}, context).labels).toEqual({
    stable: { version: null, inFile: 1 },
  });
});

describe('refused is', () => {
  test.each([
    ['an activation of', activate(9, false)],
    ['a load of', load(9)],
    ['a label for', setLabel('a', 9)],
  ])('%s a version that is not there', (_, change) => {
    expect(() => change({}, context)).toThrow('m/9 is not in the repository; versions: 1, 2, 3');
  });

  test.each([
    [unload(3), 'version 3 of m is active'],
    [unload(1), "version 1 of m has the label 'stable'"],
    [unload(9), 'version 9 of m is not loaded; loaded: 1, 2, 3'],
    [removeLabel('constructor'), "m has no label 'constructor'; labels: stable"],
  ])('what is in use or not there: %#', (change, reason) => {
    expect(() => change({}, context)).toThrow(reason);
  });

  test('a label beyond 256 that were set by hand', () => {
    const names = Array.from({ length: 256 }, (_, index) => `l${index}`);
    const full = {
      labels: Object.fromEntries(names.map((n) => [n, { version: 1, inFile: null }])),
    };
    expect(() => setLabel('more', 1)(full, context)).toThrow('m has 256 labels');
    expect(setLabel('l0', 2)(full, context).labels?.l0).toEqual({ version: 2, inFile: null });
  });

  test('a label while model.yaml cannot be read', () => {
    const broken = { ...context, model: { ...model, config: { problem: 'unknown key' } } };
    expect(() => setLabel('a', 1)({}, broken)).toThrow('cannot be read: unknown key');
  });
});

test('a label that model.yaml has by now as well is no choice any more', () => {
  const chosen = { canary: { version: 2, inFile: null } };
  expect(effectiveLabels({}, chosen)).toEqual({ labels: { canary: 2 }, held: chosen });
  expect(effectiveLabels({ canary: 2 }, chosen)).toEqual({ labels: { canary: 2 }, held: {} });
  const none = { canary: { version: null, inFile: null } };
  expect(effectiveLabels({}, none)).toEqual({ labels: {}, held: {} });
});
