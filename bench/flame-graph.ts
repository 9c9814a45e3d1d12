import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { addStack, emptyTree, selfByOrigin } from './profile/call-tree.js';
import { flameGraph } from './profile/flame-graph.js';
import { readStacks } from './profile/samples.js';

/** `npm run bench:flame-graph -- PERF_SCRIPT SVG`: draws the output of `perf script`. */

const WRONG_USAGE = 2;

async function main([input, output, ...more]: readonly string[]): Promise<void> {
  if (input === undefined || output === undefined || more.length > 0) {
    throw new Error('expected the output of `perf script`, and the SVG file to write');
  }
  const root = emptyTree();
  const lines = createInterface({ input: createReadStream(input), crlfDelay: Infinity });
  for await (const stack of readStacks(lines)) addStack(root, stack);
  if (root.total === 0) throw new Error(`${input} has no samples`);
  writeFileSync(output, flameGraph(root));
  console.log(`${root.total} samples; by whose code they were taken in:`);
  for (const [origin, self] of selfByOrigin(root)) {
    console.log(`${((100 * self) / root.total).toFixed(1).padStart(5)} %  ${origin}`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench:flame-graph: ${(error as Error).message}`);
  process.exitCode = WRONG_USAGE;
}
