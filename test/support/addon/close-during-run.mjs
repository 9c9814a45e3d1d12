import { Engine, load, say, startEndlessRun } from './harness.mjs';

const engine = new Engine();
const { run } = await startEndlessRun(engine);
run.finally(() => say('settled')).catch(() => {});
engine.close();
engine.close();
await load(engine, 'shift/1').catch((error) => say(error.code));
