// The binding's own handler, not the engine's: what it throws is as uncaught as in any callback.
import { bundledLibraryPath, loadBinding } from '../../../dist/native/binding.js';
import { modelPath, NO_ANSWERS, OPTIONS, say } from './harness.mjs';

process.on('uncaughtException', (error) => say(error.message));
const { Runtime } = loadBinding();
const onEvents = (events) => {
  throw new Error(`thrown for ${events.at(-1).ticket}`);
};
const runtime = new Runtime(bundledLibraryPath(), onEvents, NO_ANSWERS);
runtime.load(1, { modelPath: modelPath('nothing/1'), ...OPTIONS });
process.once('beforeExit', () => {
  runtime.load(2, { modelPath: modelPath('nothing/1'), ...OPTIONS });
});
