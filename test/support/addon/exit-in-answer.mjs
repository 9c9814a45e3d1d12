import { Engine, load, say, shiftIsRight } from './harness.mjs';

const model = await load(new Engine(), 'shift/1');
const answers = Array.from({ length: 50 }, (_, i) => shiftIsRight(model, i));
await answers[0];
say('answered');
process.exit(0);
