import { childrenProcessorUs, processorUs, treeProcessorUs } from './processes.js';

/** The processor time of the benchmark's own processes. */

/** Of processes whose parents ended before they did, so that nobody of ours waited for them. */
let orphansUs = 0;

/** Of this process and of all that descended from it and have ended, in microseconds. */
export function ownProcessorUs(): number {
  return processorUs([process.pid]) + childrenProcessorUs() + orphansUs;
}

/**
 * Calls `end`, which ends a child and all that descends from it (`tree`). The kernel hands the time of
 * a process on to the parent that waits for it: workers of a cluster whose primary is killed, and
 * Ray's processes, have none, and would count as others'.
 */
export async function keepingAccount(
  tree: readonly number[],
  end: () => Promise<void>,
): Promise<void> {
  const taken = treeProcessorUs(tree);
  const before = childrenProcessorUs();
  await end();
  orphansUs += Math.max(0, taken - (childrenProcessorUs() - before));
}
