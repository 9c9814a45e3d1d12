import { describe, expect, test } from 'vitest';
import { transition, type VersionState } from '../../src/registry/version-state.js';

const STATES: readonly VersionState[] = [
  ...(['discovered', 'packing', 'mapping', 'loading', 'warming'] as const),
  ...(['ready', 'active', 'draining', 'retired', 'failed'] as const),
];

/** DESIGN §5, without packing where the repository's file is served, and what version-state.ts adds. */
const LEGAL: ReadonlySet<string> = new Set([
  ...['discovered → packing', 'packing → mapping', 'discovered → mapping'],
  ...['mapping → loading', 'loading → warming', 'warming → ready', 'ready → active'],
  ...['active → draining', 'draining → retired'],
  ...['ready → draining', 'active → ready'],
  ...['discovered → failed', 'packing → failed', 'mapping → failed', 'loading → failed'],
  ...['warming → failed', 'ready → failed'],
]);

const EDGES = STATES.flatMap((from) => STATES.map((to) => ({ from, to, name: `${from} → ${to}` })));

describe('legal', () => {
  test.each(EDGES.filter(({ name }) => LEGAL.has(name)))('$name', ({ from, to }) => {
    expect(transition(from, to)).toBe(to);
  });
});

describe('illegal, and throws', () => {
  test.each(EDGES.filter(({ name }) => !LEGAL.has(name)))('$name', ({ from, to, name }) => {
    expect(() => transition(from, to)).toThrow(`illegal transition of a version: ${name}`);
  });
});
