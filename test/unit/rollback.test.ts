import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GenerationPlan, ModelPlan } from '../../src/registry/plan.js';
import { rolledBack, withoutReplaced, withPrevious } from '../../src/supervisor/rollback.js';
import { RollbackWindows } from '../../src/supervisor/rollback-windows.js';
import { versionOptions } from '../support/version-options.js';

const options = versionOptions();

const serving = (
  active: number,
  versions: readonly number[] = [active],
  more: Partial<ModelPlan> = {},
): ModelPlan => ({
  name: 'm',
  active,
  labels: {},
  chosen: [active],
  versions: versions.map((version) => ({
    ...{ version, modelPath: '', fingerprint: '', key: `${version}`, options },
  })),
  ...more,
});
const generation = (number: number, ...models: ModelPlan[]): GenerationPlan => ({
  generation: number,
  models,
});
const numbers = ({ versions }: ModelPlan) => versions.map(({ version }) => version);

const KEEPS = { keepsReplaced: true, open: new Set(['m']) };
const KEEPS_NOTHING = { keepsReplaced: false, open: new Set<string>() };

describe('a version that is replaced', () => {
  test('stays loaded, and is what a rollback goes back to', () => {
    const planned = withPrevious(serving(2), serving(1), KEEPS);
    expect([planned.previous, numbers(planned)]).toEqual([1, [1, 2]]);
  });

  test('is only remembered where nothing is kept', () => {
    const planned = withPrevious(serving(2), serving(1), KEEPS_NOTHING);
    expect([planned.previous, numbers(planned)]).toEqual([1, [2]]);
  });

  test('stays in the next generations until its window ends', () => {
    const before = serving(2, [1, 2], { previous: 1 });
    expect(numbers(withPrevious(serving(2), before, KEEPS))).toEqual([1, 2]);
    const later = withPrevious(serving(2), before, { keepsReplaced: true, open: new Set() });
    expect([later.previous, numbers(later)]).toEqual([1, [2]]);
  });

  test('makes way for the next one that is', () => {
    const before = serving(2, [1, 2], { previous: 1 });
    expect(withPrevious(serving(3), before, KEEPS)).toMatchObject({ previous: 2 });
    expect(numbers(withPrevious(serving(3), before, KEEPS))).toEqual([2, 3]);
  });

  test('goes if it may not stay, or if a version of its number is there', () => {
    expect(numbers(withPrevious(serving(2), serving(1), KEEPS, () => false))).toEqual([2]);
    const [other] = serving(1).versions;
    const both = serving(2, [1, 2]);
    const planned = { ...both, versions: [{ ...other, key: 'new' }, ...serving(2).versions] };
    expect(withPrevious(planned as ModelPlan, serving(1), KEEPS).versions).toEqual(
      planned.versions,
    );
  });

  test('is none for a model that is new', () => {
    expect(withPrevious(serving(1), undefined, KEEPS)).toEqual(serving(1));
  });
});

describe('a rollback', () => {
  const committed = generation(5, serving(2, [1, 2], { previous: 1 }));

  test('is the generation before, and the way forward again', () => {
    const back = rolledBack(committed, 'm');
    expect(back?.generation).toBe(6);
    expect(back?.models).toMatchObject([{ active: 1, previous: 2, allowSignatureChange: true }]);
    const activation = { version: 1, newestKnown: 2, allowSignatureChange: true };
    expect(back?.choices).toEqual({ m: { activation } });
    expect(back && rolledBack(back, 'm')?.models).toMatchObject([{ active: 2, previous: 1 }]);
  });

  test('needs the previous version loaded', () => {
    expect(rolledBack(generation(5, serving(2, [2], { previous: 1 })), 'm')).toBeUndefined();
    expect(rolledBack(generation(5, serving(2)), 'm')).toBeUndefined();
    expect(rolledBack(committed, 'other')).toBeUndefined();
  });

  test('leaves nothing behind that nothing else wants, once the window has ended', () => {
    const after = withoutReplaced(committed, new Set());
    expect([after.generation, after.models.map(numbers)]).toEqual([6, [[2]]]);
    expect(withoutReplaced(committed, new Set(['m'])).models).toEqual(committed.models);
    const labelled = generation(5, serving(2, [1, 2, 3], { labels: { old: 1 }, chosen: [3] }));
    expect(withoutReplaced(labelled, new Set()).models.map(numbers)).toEqual([[1, 2, 3]]);
  });
});

describe('the windows', () => {
  let ended: number;
  let windows: RollbackWindows;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    ended = 0;
    windows = new RollbackWindows({ windowMs: () => 1_000, onEnd: () => ended++ });
  });
  afterEach(() => {
    windows.close();
    vi.useRealTimers();
  });

  const commit = (before: number, after: number) => {
    windows.onCommitted(generation(1, serving(before)), generation(2, serving(after)));
  };

  test('open when another version becomes active, and end', () => {
    commit(1, 1);
    expect(windows.open.size).toBe(0);
    commit(1, 2);
    vi.advanceTimersByTime(999);
    expect([[...windows.open], ended]).toEqual([['m'], 0]);
    vi.advanceTimersByTime(10);
    expect([[...windows.open], ended]).toEqual([[], 1]);
  });

  test('begin anew with the next version', () => {
    commit(1, 2);
    vi.advanceTimersByTime(900);
    commit(2, 3);
    vi.advanceTimersByTime(900);
    expect([windows.open.has('m'), ended]).toEqual([true, 0]);
  });

  test('end with their model, and when they are closed', () => {
    commit(1, 2);
    windows.onCommitted(generation(2, serving(2)), generation(3));
    expect(windows.open.size).toBe(0);
    commit(1, 2);
    windows.close();
    windows.again();
    vi.advanceTimersByTime(60_000);
    expect(ended).toBe(0);
  });

  test('are asked again for what could not be done', () => {
    windows.again();
    vi.advanceTimersByTime(6_000);
    expect(ended).toBe(1);
  });
});
