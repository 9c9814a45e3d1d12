import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { arePromptThreadsPermitted } from '../../src/native/engine.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** Real-time scheduling of the threads that serve, as the system tells it. */

const ORDINARY = 0;
const ROUND_ROBIN = 2;
/** Of /proc/PID/stat, counted from behind the name. */
const POLICY_FIELD = 38;

/** Of the thread that began the process: it runs the event loop. */
async function policyOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/task/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[POLICY_FIELD]);
}

async function serving(yaml: string, modelYaml: string) {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await repository.configure('shift', modelYaml);
  const config = await repository.daemonConfig(`device: cpu\n${yaml}`);
  const daemon = await startDaemon(repository, config, {}, ['--workers', '1']);
  const rpc = await RawRpc.connect(daemon.process.rpcUrl);
  const [worker] = (await daemon.status()).workers;
  const ask = async () => {
    expect((await rpc.call('infer', shiftRequest())).error).toBeNull();
    return policyOf(worker?.pid as number);
  };
  return {
    ask,
    close: () => {
      rpc.close();
    },
  };
}

test('an event loop that takes little of its core is prompt where the system permits it', async () => {
  const { ask, close } = await serving('', 'threads: { intraOp: 1 }');
  const expected = arePromptThreadsPermitted() ? ROUND_ROBIN : ORDINARY;
  await until('it is', async () => (await ask()) === expected);
  close();
});

test.each([
  ['realTime is false', 'realTime: false', 'threads: { intraOp: 1 }'],
  ['it runs what has several threads', '', 'execution: inline\nthreads: { intraOp: 2 }'],
])('but never if %s', async (_, yaml, modelYaml) => {
  const { ask, close } = await serving(yaml, modelYaml);
  await ask(); // the first one that may run inline does not yet
  for (let i = 0; i < 300; i++) expect(await ask()).toBe(ORDINARY);
  close();
});
