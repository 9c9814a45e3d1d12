import { Engine, load, say } from './harness.mjs';

const engine = new Engine();
void load(engine, 'big/1');
say('loading');
process.exit(0);
