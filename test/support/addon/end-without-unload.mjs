import { Engine, load, say, shiftIsRight } from './harness.mjs';

const model = await load(new Engine(), 'shift/1');
if (await shiftIsRight(model, 1)) say('answered');
