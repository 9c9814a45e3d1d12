// Loaded into a daemon's processes before anything else: SIGUSR2 collects all garbage, twice, since
// the first time may leave what had to be finalised.
import { setImmediate } from 'node:timers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  setImmediate(collect);
});
