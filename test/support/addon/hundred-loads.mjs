// With --expose-gc: says what the process holds after 5 loads, and after 100.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Engine, modelPath, OPTIONS, say } from './harness.mjs';

const FEW = 5;
const MANY = 100;

const engine = new Engine();
const options = { modelPath: modelPath('packed/1'), optimised: true, ...OPTIONS };
await loadAndUnload(FEW);
say(JSON.stringify(await holdings()));
await loadAndUnload(MANY - FEW);
say(JSON.stringify(await holdings()));
engine.close();

async function loadAndUnload(times) {
  for (let i = 0; i < times; i++) {
    const model = await engine.load(options);
    const [{ name, shape, datatype }] = model.signature.inputs;
    const data = new Uint8Array(4 * shape[1]);
    await model.infer({ inputs: { [name]: { datatype, shape: [1, shape[1]], data } } });
    await model.unload();
  }
}

/** Twice collected, because what finalizers let go of goes with the second one. */
async function holdings() {
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    await setTimeout(20);
  }
  const [, rss] = /^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return {
    rssKibibytes: Number(rss),
    mappings: readFileSync('/proc/self/maps', 'utf8').split('\n').length,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}
