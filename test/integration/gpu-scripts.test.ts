import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { buildCudaHost } from '../support/cuda-host.js';
import { testRepository } from '../support/daemon.js';

/** The tests for GPUs themselves, on a processor. */

async function runGpuTests(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  const command = ['--import', 'tsx', 'test/gpu/main.ts', ...args];
  const env = { ...process.env, ...environment };
  const run = promisify(execFile)(process.execPath, command, { env });
  // What has failed stands in its output.
  const { stdout } = await run.catch((error: unknown) => error as { stdout: string });
  return stdout;
}

test('without a GPU they say so and are skipped', async () => {
  expect(await runGpuTests([])).toMatch(
    /^gpu tests: skipped, cuda cannot be used: (there is no NVIDIA driver|CUDA_VISIBLE_DEVICES)/,
  );
});

test('what needs no GPU of them passes on a processor', async () => {
  const output = await runGpuTests(['--device', 'cpu']);
  expect(output).toMatch(/^ok +a model answers as on the CPU/m);
  expect(output).toMatch(/^ok +a daemon serves on the device/m);
  expect(output).toMatch(/^\d+ passed, 0 failed, \d+ skipped/m);
});

test('with stand-ins for the libraries of CUDA all pass but for CUDA graphs, which those have none of', async () => {
  const host = await buildCudaHost();
  onTestFinished(host.remove);
  const { path } = await testRepository();
  const memory = join(path, 'memory');
  await mkdir(memory);
  const args = ['--device', 'cuda:0', '--ort-library', host.library, '--quick'];
  const environment = { ...host.environment, STANDIN_MEMORY: memory };
  const output = await runGpuTests(args, environment);
  expect(output).toMatch(/^ok +2 workers that share weights use at most 1.1 × those of one/m);
  expect(output).toMatch(/^\d+ passed, \d failed, 0 skipped/m);
  const failed = output.split('\n').filter((line) => line.startsWith('FAILED'));
  expect(failed.filter((line) => !line.includes('CUDA graphs'))).toEqual([]);
});
