import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DoctorReport } from '../../src/cli/doctor/report.js';
import { bundledLibraryPath } from '../../src/native/binding.js';
import { runCli } from '../support/cli.js';
import { buildCudaStandin } from '../support/cuda-standin.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { fakeNvidiaSmi } from '../support/fake-nvidia-smi.js';
import { writeProviders } from '../support/made-up-package.js';

/**
 * A host on which everything of CUDA is there, as far as one can see without using it: the driver is a
 * stand-in, and ONNX Runtime's provider is empty. So the small model that is run does not load.
 */
async function hostWithBrokenCuda() {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const [libraries, runtime] = ['.driver', '.ort'].map((name) => join(repository.path, name));
  const standin = await buildCudaStandin();
  onTestFinished(standin.remove);
  await mkdir(libraries ?? '');
  await copyFile(standin.path, join(libraries ?? '', 'libcuda.so.1'));
  writeProviders(runtime ?? '', { isWhole: true });
  await copyFile(bundledLibraryPath(), join(runtime ?? '', 'libonnxruntime.so.1'));
  const flags = await repository.daemonConfig(
    'ortLibrary: .ort/libonnxruntime.so.1\nlisten: { port: 0 }\nadmin: { port: 0 }\nmodels: .\n',
  );
  const gpus = ['0, Stand-in 0, GPU-1, 8192, 8000, 580.65.06'];
  const environment = {
    PATH: await fakeNvidiaSmi(repository.path, gpus),
    LD_LIBRARY_PATH: libraries,
    CUDA_VISIBLE_DEVICES: '0',
  };
  return { repository, flags, environment };
}

const NO_MODEL_RUNS = /no model runs on GPU 0: .*CUDA/;

test('where no model runs on a GPU that seems to be all right, cuda is refused with the cause', async () => {
  const { flags, environment } = await hostWithBrokenCuda();
  const command = ['serve', ...flags, '--device', 'cuda'];
  const { code, output } = await runCli(command, undefined, environment);
  expect(output).toMatch(new RegExp(`device: cuda: ${NO_MODEL_RUNS.source}`));
  expect(code).toBe(2);
});

test('auto takes the CPU then, and says why', async () => {
  const { repository, flags, environment } = await hostWithBrokenCuda();
  const { process: daemon, status } = await startDaemon(repository, flags, environment);
  expect((await status()).workers[0]?.device).toBe('cpu');
  const [line] = daemon.log.filter(({ msg }) => msg === 'device');
  expect(line).toMatchObject({
    device: 'cpu',
    reason: expect.stringMatching(NO_MODEL_RUNS) as string,
  });
});

test('the doctor says on which GPU no model runs, and what to do', async () => {
  const { flags, environment } = await hostWithBrokenCuda();
  const { output } = await runCli(['doctor', '--json', ...flags], undefined, environment);
  const { checks } = JSON.parse(output) as DoctorReport;
  expect(checks).toContainEqual({
    ...{ name: 'model on GPU 0', status: 'warn' },
    found: expect.stringContaining('CUDA') as string,
    remedy: expect.stringContaining('driver') as string,
  });
});
