import { describe, expect, test } from 'vitest';
import { ModelSet, type ServedModel } from '../../src/registry/model-set.js';
import type { VersionPlan } from '../../src/registry/plan.js';
import { Version } from '../../src/registry/version.js';
import { WarmswapError } from '../../src/rpc/errors.js';
import { versionOptions } from '../support/version-options.js';

function versionPlan(number: number): VersionPlan {
  const options = versionOptions();
  return { version: number, fingerprint: 'print', modelPath: '', key: String(number), options };
}

function version(name: string, number: number): Version {
  return new Version(name, versionPlan(number));
}

function served(name: string, numbers: readonly number[]): ServedModel {
  const versions = new Map(numbers.map((number) => [number, version(name, number)]));
  const [active] = [...versions.values()].slice(-1);
  if (!active) throw new Error('a model has at least one version');
  return {
    name,
    active,
    labels: new Map([['stable', [...versions.values()][0] ?? active]]),
    versions,
  };
}

const edges = served('edges', [1, 2, 10]);
const faces = served('faces', [4]);
const SET = new ModelSet(
  7,
  new Map([
    ['edges', edges],
    ['faces', faces],
  ]),
);

function refusal(set: ModelSet, ...args: [string, number?, string?]): WarmswapError {
  try {
    set.resolve(...args);
  } catch (error) {
    if (error instanceof WarmswapError) return error;
    throw error;
  }
  throw new Error('it was resolved');
}

describe('a request gets', () => {
  test('the active version if it names none', () => {
    expect(SET.resolve('edges')).toBe(edges.active);
    expect(SET.resolve('edges').number).toBe(10);
  });

  test('the version that it names, active or not', () => {
    expect([1, 2, 10].map((number) => SET.resolve('edges', number).number)).toEqual([1, 2, 10]);
  });

  test('the version with the label that it names', () => {
    expect(SET.resolve('edges', undefined, 'stable').number).toBe(1);
    expect(SET.resolve('faces', undefined, 'stable').number).toBe(4);
  });
});

describe('a request is answered NOT_FOUND, with what there is, for', () => {
  test.each([
    ['an unknown model', ['edge'], "model 'edge' is not served; models served: edges, faces"],
    ['the name of a method', ['toString'], "model 'toString' is not served; models served: "],
    [
      'an unknown version',
      ['edges', 3],
      "version 3 of 'edges' is not served; versions served: 1, 2, 10",
    ],
    [
      'an unknown label',
      ['edges', undefined, 'canary'],
      "label 'canary' of 'edges' is not served; labels served: stable",
    ],
  ] as [string, [string, number?, string?], string][])('%s', (_, args, message) => {
    const error = refusal(SET, ...args);
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain(message);
  });

  test('anything while nothing is served', () => {
    expect(refusal(new ModelSet(0, new Map()), 'edges').message).toBe(
      "model 'edges' is not served; models served: none",
    );
  });

  test('a model among many, of which only some are named', () => {
    const many = Array.from({ length: 25 }, (_, i) => served(`m${i}`, [1]));
    const set = new ModelSet(1, new Map(many.map((model) => [model.name, model])));
    expect(refusal(set, 'x').message).toMatch(/: m0, m1, .*, m19 and 5 more$/);
  });
});

test('all versions are enumerated, and the set knows its own', () => {
  expect([...SET.versions()].map(({ name, number }) => `${name}/${number}`)).toEqual([
    ...['edges/1', 'edges/2', 'edges/10', 'faces/4'],
  ]);
  for (const known of SET.versions()) expect(SET.has(known)).toBe(true);
  for (const foreign of [version('edges', 1), version('edges', 3), version('x', 1)]) {
    expect(SET.has(foreign)).toBe(false);
    expect(SET.isActive(foreign)).toBe(false);
  }
});

test('one version of each model is active', () => {
  expect([...SET.versions()].filter((known) => SET.isActive(known))).toEqual([
    edges.active,
    faces.active,
  ]);
});

describe('a request that is to run gets, while a breaker is open,', () => {
  const breaker = { errorRatio: 1, minRequests: 1, windowMs: 1_000, cooldownMs: 60_000 };

  function breakable(fallback?: string | number) {
    const options = versionOptions({
      breaker: fallback === undefined ? breaker : { ...breaker, fallback },
    });
    const versions = new Map(
      [1, 2].map((number) => [number, new Version('m', { ...versionPlan(number), options })]),
    );
    const [stable, active] = [...versions.values()] as [Version, Version];
    const labels = new Map([
      ['stable', stable],
      ['canary', active],
    ]);
    const model = { name: 'm', active, labels, versions };
    return { set: new ModelSet(1, new Map([['m', model]])), stable, active };
  }

  function trip({ breaker: tripped }: Version): void {
    tripped?.end(tripped.begin(), 'failed');
  }

  test.each(['stable', 1])('the fallback %s, by whatever it asks', (fallback) => {
    const { set, stable, active } = breakable(fallback);
    expect(set.choose('m')).toBe(active);
    trip(active);
    expect([set.choose('m'), set.choose('m', undefined, 'canary')]).toEqual([stable, stable]);
    expect(set.resolve('m')).toBe(active);
  });

  test('the version that it names all the same', () => {
    const { set, active } = breakable('stable');
    trip(active);
    expect(set.choose('m', 2)).toBe(active);
  });

  test.each([undefined, 'canary', 'none', 7])('no fallback where it is %s', (fallback) => {
    const { set, active } = breakable(fallback);
    trip(active);
    expect(set.choose('m')).toBe(active);
  });

  test('no fallback that is broken itself', () => {
    const { set, stable, active } = breakable('stable');
    trip(active);
    trip(stable);
    expect(set.choose('m')).toBe(active);
  });
});
