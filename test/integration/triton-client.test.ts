import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDaemon, testRepository } from '../support/daemon.js';

const SCRIPT = fileURLToPath(new URL('../support/clients/triton_http.py', import.meta.url));
const isInstalled = spawnSync('python3', ['-c', 'import tritonclient.http']).status === 0;

test.skipIf(!isInstalled)('the client library of Triton works unchanged', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, ['--workers', '1']);
  const { host } = new URL(process.rpcUrl);
  const { stderr } = await promisify(execFile)('python3', [SCRIPT, host]);
  expect(stderr).not.toContain('Traceback');
});
