import { expect, test } from 'vitest';
import { afterLook, type WatchState } from '../../src/supervisor/watch-policy.js';

/** What follows each of these looks, while `served` is what is served. */
function follow(looks: readonly string[], served: string | undefined = 'a'): string[] {
  let state: WatchState = {};
  return looks.map((look) => {
    const step = afterLook(state, look, served);
    ({ state } = step);
    return step.next;
  });
}

test('what is served already is nothing new', () => {
  expect(follow(['a', 'a'])).toEqual(['wait', 'wait']);
});

test('a change is reloaded once two looks have seen the same', () => {
  expect(follow(['b', 'b'])).toEqual(['lookAgain', 'reload']);
  expect(follow(['b', 'b'], undefined)).toEqual(['lookAgain', 'reload']);
});

test('what changes from look to look waits', () => {
  expect(follow(['b', 'c', 'd', 'd'])).toEqual(['lookAgain', 'lookAgain', 'lookAgain', 'reload']);
});

test('what is undone meanwhile is forgotten', () => {
  expect(follow(['b', 'a', 'b', 'b'])).toEqual(['lookAgain', 'wait', 'lookAgain', 'reload']);
});

test('what a reload could not follow is tried again only after another change', () => {
  expect(follow(['b', 'b', 'b', 'b'])).toEqual(['lookAgain', 'reload', 'wait', 'wait']);
  expect(follow(['b', 'b', 'c', 'c', 'b', 'b'])).toEqual([
    ...['lookAgain', 'reload'],
    ...['lookAgain', 'reload'],
    ...['lookAgain', 'reload'],
  ]);
});
