import type { Frame, Origin, Stack } from './samples.js';

/** Stacks that begin alike, put together. */
export interface CallTree {
  frame: Frame;
  /** Samples in it and in what it calls. */
  total: number;
  /** Samples in it alone. */
  self: number;
  calls: Map<string, CallTree>;
}

export function emptyTree(): CallTree {
  return newNode({ name: 'all', origin: 'other' });
}

export function addStack(root: CallTree, stack: Stack): void {
  let node = root;
  node.total++;
  for (const frame of stack) {
    const key = `${frame.origin} ${frame.name}`;
    const next = node.calls.get(key) ?? newNode(frame);
    node.calls.set(key, next);
    node = next;
    node.total++;
  }
  node.self++;
}

/** Samples by whose code they were taken in, the most first. */
export function selfByOrigin(root: CallTree): [Origin, number][] {
  const sums = new Map<Origin, number>();
  const visit = (node: CallTree) => {
    const { origin } = node.frame;
    sums.set(origin, (sums.get(origin) ?? 0) + node.self);
    for (const call of node.calls.values()) visit(call);
  };
  visit(root);
  return [...sums].filter(([, sum]) => sum > 0).sort(([, a], [, b]) => b - a);
}

function newNode(frame: Frame): CallTree {
  return { frame, total: 0, self: 0, calls: new Map() };
}
