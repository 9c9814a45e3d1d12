import { describe, expect, test } from 'vitest';
import { parseYaml, validate } from '../../src/config/parse.js';
import type { Device } from '../../src/config/device.js';
import { daemonSchema, modelSchema } from '../../src/config/schema.js';
import type {
  Activation,
  GenerationPlan,
  ModelPlan,
  OperatorChoices,
  VersionFailure,
} from '../../src/registry/plan.js';
import type { RepositoryModel } from '../../src/repository/scan.js';
import {
  modelServesTheSame,
  planGeneration,
  planModelChange,
  replacesVersions,
  servesTheSame,
  type PlanInput,
  type PlannedGeneration,
} from '../../src/supervisor/plan-generation.js';
import type { RollbackPolicy } from '../../src/supervisor/rollback.js';

const CUDA = daemonSchema.parse({ models: '/models' }).cuda;
const NOTHING: GenerationPlan = { generation: 0, models: [] };

function model(name: string, versions: readonly number[], yaml = ''): RepositoryModel {
  return {
    name,
    config: validate(modelSchema, parseYaml(yaml, 'model.yaml', {}), 'model.yaml'),
    versions: versions.map((version) => ({
      version,
      modelPath: `/models/${name}/${version}/model.onnx`,
      fingerprint: `print-${version}`,
      warmupFiles: [],
      goldenFiles: [],
    })),
  };
}

const broken = (name: string): RepositoryModel => ({
  ...model(name, [1, 2]),
  config: { problem: 'model.yaml: unknown key lables' },
});

interface Input {
  committed?: GenerationPlan;
  activations?: Readonly<Record<string, Activation>>;
  choices?: Readonly<Record<string, OperatorChoices>>;
  failures?: readonly VersionFailure[];
  rollback?: RollbackPolicy;
  devices?: readonly Device[];
  stopped?: readonly ModelPlan[];
}

const activated = (activations: Readonly<Record<string, Activation>>) =>
  Object.fromEntries(
    Object.entries(activations).map(([name, activation]) => [name, { activation }]),
  );

const plan = (models: readonly RepositoryModel[], input: Input = {}): PlannedGeneration =>
  planGeneration(inputOf(models, input));

function inputOf(models: readonly RepositoryModel[], input: Input): PlanInput {
  return {
    snapshot: { models: new Map(models.map((each) => [each.name, each])) },
    committed: input.committed ?? NOTHING,
    choices: { ...activated(input.activations ?? {}), ...input.choices },
    failures: input.failures ?? [],
    threads: { cores: 12, workers: 2 },
    host: { devices: input.devices ?? ['cpu'], cuda: CUDA },
    rollback: input.rollback ?? { keepsReplaced: false, open: new Set() },
    stopped: input.stopped ?? [],
  };
}

/** The plan of the only model, which must have one. */
function planOf(only: RepositoryModel, input: Input = {}): ModelPlan {
  const { plan: planned, problems } = plan([only], input);
  expect(problems).toEqual([]);
  const [first] = planned.models;
  if (!first) throw new Error('the model is not planned');
  return first;
}

const numbers = ({ versions }: ModelPlan) => versions.map(({ version }) => version);

/** That the planned version did not become ready. */
function failureOf(only: RepositoryModel, version: number): VersionFailure {
  const all = planOf({ ...only, config: model('', [], 'versions: all').config });
  const key = all.versions.find((each) => each.version === version)?.key ?? '';
  return { model: only.name, version, key, code: 'INTERNAL', reason: 'broken' };
}

describe('the generation', () => {
  test('is one more than the committed one', () => {
    expect(plan([], { committed: { generation: 6, models: [] } }).plan).toEqual({
      generation: 7,
      models: [],
    });
  });

  test('has every model of the repository, and none that was removed', () => {
    const { plan: committed } = plan([model('a', [1]), model('b', [1])]);
    const next = plan([model('b', [1]), model('c', [1])], { committed });
    expect(next.plan.models.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(next.problems).toEqual([]);
  });

  test('does not change its input', () => {
    const { plan: committed } = plan([model('a', [1]), broken('b')]);
    const before = structuredClone(committed);
    plan([model('a', [1, 2]), broken('b')], { committed });
    expect(committed).toEqual(before);
  });
});

describe('a change of one model', () => {
  const { plan: committed } = plan([model('a', [1]), model('b', [1, 2]), model('d', [1])]);
  const published = [model('a', [1, 2]), model('b', [1, 2, 3]), model('c', [1])];

  function changed(name: string, choices: OperatorChoices): PlannedGeneration {
    const input = inputOf(published, { committed, choices: { [name]: choices } });
    const only = published.find((each) => each.name === name);
    if (!only) throw new Error(`there is no ${name}`);
    return planModelChange(only, input);
  }

  const activesOf = ({ plan: { models } }: PlannedGeneration) =>
    Object.fromEntries(models.map((each) => [each.name, each.active]));

  test('leaves everything else as it is committed', () => {
    const next = changed('b', { labels: { canary: { version: 1, inFile: null } } });
    expect(next.problems).toEqual([]);
    expect(activesOf(next)).toEqual({ a: 1, b: 2, d: 1 });
    expect(next.plan.models[1]).toMatchObject({ labels: { canary: 1 }, chosen: [2] });
    expect(next.plan.generation).toBe(2);
  });

  test('reaches what was published since', () => {
    const activation = { version: 3, newestKnown: 3, allowSignatureChange: false };
    expect(activesOf(changed('b', { activation }))).toEqual({ a: 1, b: 3, d: 1 });
    expect(activesOf(changed('b', { loaded: [3] }))).toEqual({ a: 1, b: 2, d: 1 });
    expect(changed('b', { loaded: [3] }).plan.models[1]).toMatchObject({ chosen: [2, 3] });
  });

  test('adds a model in its place, and takes one out', () => {
    expect(Object.keys(activesOf(changed('c', {})))).toEqual(['a', 'b', 'c', 'd']);
    expect(activesOf(changed('b', { isUnloaded: true }))).toEqual({ a: 1, d: 1 });
  });

  test('keeps what was chosen for others', () => {
    const choices = { d: { isUnloaded: true as const }, b: {} };
    const next = planModelChange(
      model('b', [1, 2]),
      inputOf(published, { committed: { ...committed, choices } }),
    );
    expect(next.plan.choices).toEqual({ d: { isUnloaded: true } });
  });
});

describe('what a daemon served that was stopped', () => {
  const { plan: before } = plan([model('m', [1])]);

  test('is the version before, where another one is active now', () => {
    const next = planOf(model('m', [1, 2]), { stopped: before.models });
    expect(next).toMatchObject({ active: 2, previous: 1 });
    expect(numbers(next)).toEqual([2]);
  });

  test('has the version before', () => {
    const stopped = before.models.map((each) => ({ ...each, previous: 7 }));
    expect(planOf(model('m', [1]), { stopped })).toMatchObject({ active: 1, previous: 7 });
  });

  test('counts no more once something is committed', () => {
    const { plan: committed } = plan([model('m', [1, 2])]);
    const next = planOf(model('m', [1, 2]), { committed, stopped: before.models });
    expect(next.previous).toBeUndefined();
  });
});

describe('the versions that are served', () => {
  test.each([
    ['', [3]],
    ['versions: latest', [3]],
    ['versions: { latest: 2 }', [2, 3]],
    ['versions: { latest: 9 }', [1, 2, 3]],
    ['versions: all', [1, 2, 3]],
    ['versions: [1, 3]', [1, 3]],
    ['versions: [3, 1]', [1, 3]],
    ['versions: [2, 9]', [2]],
    ['breaker: { fallback: 1 }', [1, 3]],
    ['breaker: { fallback: stable }', [3]],
  ])('with %o are %o', (yaml, versions) => {
    const planned = planOf(model('m', [1, 2, 3], yaml));
    expect(numbers(planned)).toEqual(versions);
    expect(planned.active).toBe(versions.at(-1));
  });

  test('have the path and the options of model.yaml', () => {
    const yaml = `
      queue: { maxSize: 8, deadline: 1s, priorities: 2 }
      batching: { maxBatch: 4, maxDelay: 1ms }
      instances: 2
      threads: { spinning: true }
      breaker: { errorRatio: 0.2, cooldown: 1s, fallback: stable }
      warmup: { runs: 5, shapes: { x: [2] }, batchSizes: [4, 2], maxDuration: 2s }`;
    expect(planOf(model('m', [4], yaml)).versions).toMatchObject([
      {
        version: 4,
        modelPath: '/models/m/4/model.onnx',
        options: {
          queueCapacity: 8,
          deadlineMs: 1_000,
          priorities: 2,
          execution: 'auto',
          quickStart: true,
          instances: 2,
          threads: { intraOp: 3, spinning: true },
          batching: { maxBatch: 4, maxDelayMs: 1 },
          breaker: {
            errorRatio: 0.2,
            minRequests: 20,
            windowMs: 10_000,
            cooldownMs: 1_000,
            fallback: 'stable',
          },
          warmup: { runs: 5, shapes: { x: [2] }, batchSizes: [4, 2], maxDurationMs: 2_000 },
        },
      },
    ]);
    const byDefault = planOf(model('m', [4])).versions[0]?.options;
    expect(byDefault).not.toHaveProperty('deadlineMs');
    expect(byDefault).not.toHaveProperty('batching');
    expect(byDefault).not.toHaveProperty('breaker');
    expect(byDefault?.warmup).toEqual({ runs: 3, shapes: {}, maxDurationMs: 10_000 });
    expect(byDefault?.threads).toEqual({ intraOp: 6, spinning: false });
  });

  test('include the active and the labelled ones, each once, ascending', () => {
    const yaml = 'active: 2\nlabels: { stable: 1, canary: 4, other: 4 }';
    const planned = planOf(model('m', [1, 2, 3, 4], yaml));
    expect(numbers(planned)).toEqual([1, 2, 4]);
    expect(planned.active).toBe(2);
    expect(planned.labels).toEqual({ stable: 1, canary: 4, other: 4 });
  });
});

describe('the key of a version', () => {
  const keyOf = (only: RepositoryModel) => planOf(only).versions[0]?.key;
  const key = keyOf(model('m', [1]));

  test('stays while the version is loaded the same way', () => {
    expect(keyOf(model('m', [1], 'labels: { a: 1 }\nversions: all'))).toBe(key);
  });

  test('stays when its warm-up files change, which the plan names', () => {
    const only = { ...model('m', [1]), versions: [{ ...versionOne(), warmupFiles: ['/a.json'] }] };
    expect(planOf(only).versions).toMatchObject([{ key, warmupFiles: ['/a.json'] }]);
  });

  test.each([
    [
      'its files change',
      { ...model('m', [1]), versions: [{ ...versionOne(), fingerprint: 'other' }] },
    ],
    ['its queue changes', model('m', [1], 'queue: { maxSize: 2 }')],
    ['its threads change', model('m', [1], 'threads: { intraOp: 2 }')],
    ['its deadline changes', model('m', [1], 'queue: { deadline: 1s }')],
    ['its warm-up changes', model('m', [1], 'warmup: { runs: 1 }')],
    ['its checksum changes', model('m', [1], `sha256: { 1: ${'ab'.repeat(32)} }`)],
    ['it is another version', model('m', [2])],
  ])('is another one when %s', (_, only) => {
    expect(keyOf(only)).not.toBe(key);
  });

  function versionOne() {
    const [version] = model('m', [1]).versions;
    if (!version) throw new Error('the model has a version');
    return version;
  }
});

describe('a version that failed', () => {
  const three = model('m', [1, 2, 3]);

  test('is left out, and the newest of the others is active', () => {
    const failures = [failureOf(three, 3)];
    expect(planOf(three, { failures })).toMatchObject({ active: 2, versions: [{ version: 2 }] });
    const all = model('m', [1, 2, 3], 'versions: all');
    expect(numbers(planOf(all, { failures }))).toEqual([1, 2]);
  });

  test('of another model, or with other files, does not matter', () => {
    const foreign = { ...failureOf(three, 3), model: 'other' };
    const old = { ...failureOf(three, 3), key: '3:before' };
    expect(planOf(three, { failures: [foreign, old] }).active).toBe(3);
  });

  test('and has a label or is configured to be active keeps the model as it is', () => {
    const { plan: committed } = plan([model('m', [1, 2])]);
    for (const yaml of ['labels: { canary: 3 }', 'active: 3']) {
      const only = model('m', [1, 2, 3], yaml);
      const { plan: planned, problems } = plan([only], {
        committed,
        failures: [failureOf(three, 3)],
      });
      expect(planned.models).toEqual(committed.models);
      expect(problems).toEqual([
        { model: 'm', reason: 'version 3 is wanted, but missing or failed' },
      ]);
    }
  });

  test('and is the only one leaves a new model out, and an old one as it is', () => {
    const one = model('m', [1]);
    const failures = [failureOf(one, 1)];
    const problems = [{ model: 'm', reason: 'no version can be served' }];
    expect(plan([one], { failures })).toEqual({ plan: { generation: 1, models: [] }, problems });
    const { plan: committed } = plan([model('m', [1], 'queue: { maxSize: 2 }')]);
    expect(plan([one], { failures, committed })).toEqual({
      plan: { generation: 2, models: committed.models },
      problems,
    });
  });
});

describe('a version that may serve, but not become active,', () => {
  const withheld = (only: RepositoryModel, version: number): VersionFailure => ({
    ...failureOf(only, version),
    isServable: true,
  });

  test('is loaded beside the one that is active now', () => {
    const two = model('m', [1, 2]);
    const { plan: committed } = plan([model('m', [1])]);
    const planned = planOf(two, { committed, failures: [withheld(two, 2)] });
    expect([planned.active, numbers(planned)]).toEqual([1, [1, 2]]);
  });

  test('leaves the active one active also where a newer one could be', () => {
    const three = model('m', [1, 2, 3]);
    const committed = plan([three], {
      activations: { m: { version: 1, newestKnown: 3, allowSignatureChange: false } },
    }).plan;
    const planned = planOf(three, { committed, failures: [withheld(three, 3)] });
    expect([planned.active, numbers(planned)]).toEqual([1, [1, 3]]);
  });

  test('makes way for the newest of the others where the active one is gone', () => {
    const only = model('m', [2, 3], 'versions: all');
    const { plan: committed } = plan([model('m', [1])]);
    const planned = planOf(only, { committed, failures: [withheld(only, 3)] });
    expect([planned.active, numbers(planned)]).toEqual([2, [2, 3]]);
  });

  test('is not made active by model.yaml, and keeps its label', () => {
    const two = model('m', [1, 2], 'active: 2\nlabels: { next: 2 }');
    const { plan: committed } = plan([model('m', [1])]);
    const planned = planOf(two, { committed, failures: [withheld(two, 2)] });
    expect(planned).toMatchObject({ active: 1, labels: { next: 2 } });
  });

  test('is left out once it fails altogether', () => {
    const two = model('m', [1, 2]);
    const { plan: committed } = plan([model('m', [1])]);
    const failures = [withheld(two, 2), failureOf(two, 2)];
    expect(numbers(planOf(two, { committed, failures }))).toEqual([1]);
  });
});

describe('a model that cannot be followed', () => {
  test('is served as before, and the others are followed', () => {
    const { plan: committed } = plan([model('a', [1]), model('b', [1])]);
    const next = plan([broken('a'), model('b', [1, 2])], { committed });
    expect(next.plan.models[0]).toEqual(committed.models[0]);
    expect(next.plan.models[1]?.active).toBe(2);
    expect(next.problems).toEqual([{ model: 'a', reason: 'model.yaml: unknown key lables' }]);
  });

  test('is not served if it was not before', () => {
    const { plan: planned, problems } = plan([broken('a')]);
    expect(planned.models).toEqual([]);
    expect(problems).toHaveLength(1);
  });

  test.each([
    ['active: 9', 'version 9 is wanted, but missing or failed'],
    ['labels: { a: 9 }', 'version 9 is wanted, but missing or failed'],
    ['versions: [9]', 'no version can be served'],
  ])('because of %o says which version is missing', (yaml, reason) => {
    expect(plan([model('m', [1], yaml)])).toEqual({
      plan: { generation: 1, models: [] },
      problems: [{ model: 'm', reason }],
    });
  });
});

describe("an operator's activation", () => {
  const activate = (version: number, newestKnown: number, allowSignatureChange = false) => ({
    activations: { m: { version, newestKnown, allowSignatureChange } },
  });

  test('wins over the newest version and over model.yaml, and loads what it needs', () => {
    const planned = planOf(model('m', [1, 2, 3]), activate(1, 3));
    expect([planned.active, numbers(planned)]).toEqual([1, [1, 3]]);
    expect(planOf(model('m', [1, 2, 3], 'active: 2'), activate(1, 3)).active).toBe(1);
  });

  test('allows another signature only where the operator did', () => {
    const only = model('m', [1, 2]);
    expect(planOf(only, activate(1, 2, true)).allowSignatureChange).toBe(true);
    expect(planOf(only, activate(1, 2))).not.toHaveProperty('allowSignatureChange');
    expect(planOf(only)).not.toHaveProperty('allowSignatureChange');
  });

  test('ends when a newer version than all known is published', () => {
    expect(planOf(model('m', [1, 2, 3]), activate(1, 3)).active).toBe(1);
    expect(planOf(model('m', [1, 2, 4]), activate(1, 3, true))).toMatchObject({
      active: 4,
      versions: [{ version: 4 }],
    });
    expect(planOf(model('m', [1, 2, 4], 'active: 2'), activate(1, 3)).active).toBe(2);
  });

  test('holds on when the newer version fails', () => {
    const four = model('m', [1, 2, 3, 4]);
    const failures = [failureOf(four, 4)];
    const planned = planOf(four, { ...activate(1, 3), failures });
    expect([planned.active, numbers(planned)]).toEqual([1, [1, 3]]);
  });

  test('holds on when versions are removed', () => {
    expect(planOf(model('m', [1, 2]), activate(1, 3)).active).toBe(1);
  });

  test('of a version that failed or is gone keeps the model as it is', () => {
    const only = model('m', [1, 2]);
    const { plan: committed } = plan([model('m', [1])]);
    const problems = [{ model: 'm', reason: 'version 2 is wanted, but missing or failed' }];
    const failed = plan([only], { ...activate(2, 2), committed, failures: [failureOf(only, 2)] });
    expect(failed).toEqual({ plan: { generation: 2, models: committed.models }, problems });
    const gone = plan([model('m', [1])], { ...activate(2, 2), committed });
    expect(gone).toEqual({ plan: { generation: 2, models: committed.models }, problems });
  });

  test('of another model does not matter', () => {
    const activations = { other: { version: 1, newestKnown: 2, allowSignatureChange: true } };
    expect(planOf(model('m', [1, 2]), { activations })).toEqual(planOf(model('m', [1, 2])));
  });
});

describe("an operator's choice", () => {
  const choosing = (m: OperatorChoices): Input => ({ choices: { m } });
  const three = (yaml = '') => model('m', [1, 2, 3], yaml);

  test('loads a version beside the others, or does not load it', () => {
    expect(numbers(planOf(three(), choosing({ loaded: [1] })))).toEqual([1, 3]);
    const all = 'versions: all';
    expect(numbers(planOf(three(all), choosing({ unloaded: [2] })))).toEqual([1, 3]);
    expect(planOf(three(), choosing({ unloaded: [3] }))).toMatchObject({ active: 2, chosen: [2] });
    expect(numbers(planOf(three('labels: { a: 2 }'), choosing({ unloaded: [2] })))).toEqual([2, 3]);
  });

  test('takes a model out, also one that cannot be followed', () => {
    for (const only of [three(), broken('m')]) {
      const { plan: next, problems } = plan([only], choosing({ isUnloaded: true }));
      expect([next.models, next.choices, problems]).toEqual([[], { m: { isUnloaded: true } }, []]);
    }
  });

  test('of a label wins until model.yaml says something else of it', () => {
    const labels = { canary: { version: 2, inFile: null }, old: { version: null, inFile: 1 } };
    const input = choosing({ labels });
    const { plan: chosen } = plan([three('labels: { old: 1 }')], input);
    expect(chosen.models).toMatchObject([{ labels: { canary: 2 } }]);
    expect(chosen.choices).toEqual({ m: { labels } });
    const { plan: next } = plan([three('labels: { old: 2, canary: 3 }')], input);
    expect(next.models).toMatchObject([{ labels: { old: 2, canary: 3 } }]);
    expect(next).not.toHaveProperty('choices');
  });

  test('that cannot be followed leaves what was chosen before', () => {
    const { plan: committed } = plan([three()], choosing({ loaded: [1] }));
    const labels = { canary: { version: 9, inFile: null } };
    const { plan: next, problems } = plan([three()], { committed, ...choosing({ labels }) });
    expect(problems).toEqual([
      { model: 'm', reason: 'version 9 is wanted, but missing or failed' },
    ]);
    expect(next.models).toEqual(committed.models);
    expect(next.choices).toEqual({ m: { loaded: [1] } });
  });

  test('is forgotten with the version or the model that it is about', () => {
    const choices = { loaded: [1, 9], unloaded: [2, 9] };
    const all = three('versions: all');
    expect(plan([all], choosing(choices)).plan.choices).toEqual({
      m: { loaded: [1], unloaded: [2] },
    });
    expect(plan([model('other', [1])], choosing(choices)).plan).not.toHaveProperty('choices');
  });
});

describe('two generations serve the same', () => {
  const of = (...models: RepositoryModel[]) => plan(models).plan;
  const base = model('m', [1, 2], 'versions: all\nlabels: { a: 1, b: 2 }');

  test('whatever their numbers, the order of labels and what was allowed', () => {
    const allowed = plan([base], {
      committed: { generation: 8, models: [] },
      activations: { m: { version: 2, newestKnown: 2, allowSignatureChange: true } },
    }).plan;
    const reordered = of(model('m', [1, 2], 'versions: all\nlabels: { b: 2, a: 1 }'));
    expect(servesTheSame(of(base), allowed)).toBe(true);
    expect(servesTheSame(of(base), reordered)).toBe(true);
    expect(servesTheSame(NOTHING, { generation: 3, models: [] })).toBe(true);
  });

  test.each([
    ['the active version', model('m', [1, 2], 'active: 1\nversions: all\nlabels: { a: 1, b: 2 }')],
    ['a label', model('m', [1, 2], 'versions: all\nlabels: { a: 2, b: 2 }')],
    [
      'the versions',
      model('m', [1, 2, 3], 'versions: [1, 2, 3]\nactive: 2\nlabels: { a: 1, b: 2 }'),
    ],
    [
      'the way they are loaded',
      {
        ...base,
        ...model('m', [1, 2], 'versions: all\nlabels: { a: 1, b: 2 }\nwarmup: { runs: 9 }'),
      },
    ],
    ['the name', { ...base, name: 'n' }],
  ])('unless %s differs', (_, other) => {
    expect(servesTheSame(of(base), of(other))).toBe(false);
    expect(modelServesTheSame(of(base).models[0], of(other).models[0])).toBe(false);
  });

  test('unless one has a model that the other has not', () => {
    expect(servesTheSame(of(base), NOTHING)).toBe(false);
    expect(modelServesTheSame(of(base).models[0], undefined)).toBe(false);
    expect(modelServesTheSame(undefined, undefined)).toBe(true);
  });
});

test('versions are replaced where some go and others come, in whatever models', () => {
  const of = (...models: RepositoryModel[]) => plan(models).plan;
  const one = of(model('m', [1]));
  expect(replacesVersions(one, of(model('m', [2])))).toBe(true);
  expect(replacesVersions(one, of(model('n', [1])))).toBe(true);
  expect(replacesVersions(one, of(model('m', [1], 'warmup: { runs: 9 }')))).toBe(true);
  expect(replacesVersions(one, of(model('m', [1]), model('n', [1])))).toBe(false);
  expect(replacesVersions(one, of(model('m', [1, 2], 'versions: all')))).toBe(false);
  expect(replacesVersions(one, NOTHING)).toBe(false);
  expect(replacesVersions(NOTHING, one)).toBe(false);
});

describe('on GPUs', () => {
  const devices: readonly Device[] = ['cuda:0', 'cuda:1'];

  test('a version is planned for its device, and is another one on another device', () => {
    const [onWorkers] = planOf(model('a', [1]), { devices }).versions;
    const [onSecond] = planOf(model('a', [1], 'device: cuda:1'), { devices }).versions;
    expect(onWorkers?.options).toMatchObject({ cuda: { tf32: true, graphs: false } });
    expect(onWorkers?.options).not.toHaveProperty('device');
    expect(onSecond?.options.device).toBe('cuda:1');
    expect(onSecond?.key).not.toBe(onWorkers?.key);
  });

  test('a model for a GPU that the daemon has not is kept as it was, and says why', () => {
    const { plan: committed } = plan([model('a', [1])], { devices });
    const next = plan([model('a', [1, 2], 'device: cuda:7')], { committed, devices });
    expect(next.plan.models).toEqual(committed.models);
    expect(next.problems).toEqual([
      { model: 'a', reason: "device: cuda:7 is none of the daemon's: cuda:0, cuda:1" },
    ]);
  });
});
