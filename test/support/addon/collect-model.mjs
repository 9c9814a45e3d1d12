// Needs node --expose-gc. A model that nobody unloads and nobody refers to is unmapped.
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { Engine, load, modelPath, say, shiftIsRight } from './harness.mjs';

const engine = new Engine();
const isMapped = () => readFileSync('/proc/self/maps', 'utf8').includes(modelPath('shift/2'));

async function loadAndForget() {
  await load(engine, 'shift/2');
  if (isMapped()) say('mapped');
}

const kept = await load(engine, 'shift/1');
await loadAndForget();
while (isMapped()) {
  globalThis.gc();
  await setImmediate();
}
say('unmapped');
if (await shiftIsRight(kept, 1)) say('answered');
