import { Engine, load, say, shiftIsRight } from './harness.mjs';

try {
  new Engine('/nowhere/libonnxruntime.so');
} catch (error) {
  say(error.code);
}
const model = await load(new Engine(), 'shift/1');
if (await shiftIsRight(model, 1)) say('answered');
