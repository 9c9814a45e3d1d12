import { expect, test } from 'vitest';
import { clientsRefusal, warmUpRefusal } from '../../src/registry/gates.js';
import { Version, type WarmUpSource } from '../../src/registry/version.js';
import { versionOptions } from '../support/version-options.js';

type Shapes = Readonly<Record<string, readonly number[]>>;

function version(source: WarmUpSource | undefined, problem?: string, shapes: Shapes = {}): Version {
  const warmup = { runs: 1, shapes, maxDurationMs: 1 };
  const options = versionOptions({ warmup });
  const plan = { version: 1, modelPath: '', fingerprint: '', key: '', options };
  const made = new Version('m', plan);
  made.warmUpSource = source;
  made.warmUpProblem = problem;
  return made;
}

const none = undefined;
const tookZeros = version('generated');

test.each([
  ['a file', version('files', 'bad'), none],
  ['zeros that the active version takes', version('generated', 'bad'), tookZeros],
  ['zeros of the shapes that are given', version('generated', 'bad', { x: [1] }), none],
])('a version that fails with %s is refused', (_, next, current) => {
  expect(warmUpRefusal(next, current)).toBe('bad');
});

test.each([
  ['is the first one', none],
  ['follows one that does not take them', version('generated', 'bad')],
  ['follows one that was warmed with real requests', version('recorded')],
  ['follows one that was not warmed', version(undefined)],
])('a version that fails with zeros is not refused if it %s', (_, current) => {
  expect(warmUpRefusal(version('generated', 'bad'), current)).toBeUndefined();
});

test.each(['recorded', 'files', 'generated', undefined] as const)(
  'a version that passes with what is %s is not refused',
  (source) => {
    expect(warmUpRefusal(version(source), tookZeros)).toBeUndefined();
  },
);

test('a version that fails a request that the active one has answered may serve, but not take over', () => {
  const failing = version('recorded', 'bad', { x: [1] });
  expect(warmUpRefusal(failing, tookZeros)).toBeUndefined();
  expect(clientsRefusal(failing)).toBe('bad');
  expect(clientsRefusal(version('recorded'))).toBeUndefined();
  expect(clientsRefusal(version('generated', 'bad'))).toBeUndefined();
});
