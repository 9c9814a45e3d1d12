import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** The tests for GPUs themselves, on a processor. */

async function runGpuTests(...args: readonly string[]): Promise<string> {
  const command = ['--import', 'tsx', 'test/gpu/main.ts', ...args];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

test('without a GPU they say so and are skipped', async () => {
  expect(await runGpuTests()).toMatch(
    /^gpu tests: skipped, cuda cannot be used: (there is no NVIDIA driver|CUDA_VISIBLE_DEVICES)/,
  );
});

test('what needs no GPU of them passes on a processor', async () => {
  const output = await runGpuTests('--device', 'cpu');
  expect(output).toMatch(/^ok +a model answers as on the CPU/m);
  expect(output).toMatch(/^ok +a daemon serves on the device/m);
  expect(output).toMatch(/^\d+ passed, 0 failed, \d+ skipped/m);
});
