import { Engine, load, say } from './harness.mjs';

const engine = new Engine();
// ONNX Runtime makes half of its static objects in the first load; exit() destroys them.
await load(engine, 'shift/1');
const loading = load(engine, 'big/1', () => {
  say('mapped');
  process.exit(0);
});
await loading;
say('loaded');
