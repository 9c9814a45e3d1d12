import { dirname } from 'node:path';
import { Engine, modelPath, say } from './harness.mjs';

const engine = new Engine();
const sourcePath = modelPath('mid/1');
const { form } = await engine.pack({ sourcePath, outputDirectory: dirname(modelPath('packed/1')) });
say(form);
engine.close();
