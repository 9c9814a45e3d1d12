// Needs node --expose-gc. The binding's own model, which nothing refers to while it runs.
import { setImmediate } from 'node:timers/promises';
import { bundledLibraryPath, loadBinding } from '../../../dist/native/binding.js';
import { endlessInputs, modelPath, NO_ANSWERS, OPTIONS, say, untilBusy } from './harness.mjs';

const INT64 = 8;
const FP32 = 11;
const { Runtime } = loadBinding();
const events = [];
const onEvents = (batch) => events.push(...batch);
const runtime = new Runtime(bundledLibraryPath(), onEvents, NO_ANSWERS);

async function nextEvent() {
  while (events.length === 0) {
    globalThis.gc();
    await setImmediate();
  }
  return events.shift();
}

async function startRunAndForget() {
  runtime.load(1, { modelPath: modelPath('slow/1'), ...OPTIONS });
  await nextEvent(); // mapped
  const { value: model } = await nextEvent();
  const tensors = Object.values(endlessInputs());
  const shapes = tensors.map((tensor) => tensor.shape);
  const data = tensors.map((tensor) => tensor.data);
  model.submit(2, [INT64, FP32], shapes, data, [0], undefined);
  await untilBusy();
}

await startRunAndForget();
const { ticket, error } = await nextEvent();
say(`${ticket} ${error.code}`);
