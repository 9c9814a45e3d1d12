import { endlessInputs, Engine, say, startEndlessRun } from './harness.mjs';

const { model, run } = await startEndlessRun(new Engine());
await model.unload();
await run.catch((error) => say(error.code));
await model.infer({ inputs: endlessInputs() }).catch((error) => say(error.code));
