import { Engine, modelPath, OPTIONS, say } from './harness.mjs';

const engine = new Engine();
for (const threads of [{ runnerThreads: 0 }, { runnerThreads: 1e6 }, { intraOpThreads: 2 ** 32 }]) {
  const options = { modelPath: modelPath('shift/1'), ...OPTIONS, ...threads };
  await engine.load(options).catch((error) => say(error.message));
}
