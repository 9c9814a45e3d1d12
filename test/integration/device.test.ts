import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledLibraryPath } from '../../src/native/binding.js';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { fakeNvidiaSmi } from '../support/fake-nvidia-smi.js';
import { mapsFile } from '../support/memory-maps.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { compileLibrary } from '../support/shared-library.js';

/** Tests see no GPU. */
const NO_GPU = '(there is no NVIDIA driver|CUDA_VISIBLE_DEVICES hides every GPU)';
const ANY_PORTS = ['--port', '0', '--admin-port', '0'];

test('a daemon logs once what it runs on, and why', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const lines = daemon.log.filter(({ msg }) => msg === 'device');
  expect(lines).toMatchObject([{ device: 'cpu' }]);
  expect(lines[0]?.reason).toMatch(new RegExp(`^${NO_GPU}$`));
});

test('serve and pack refuse cuda with the cause instead of using the CPU', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const folders = ['--models', repository.path];
  const served = await runCli(['serve', ...folders, ...ANY_PORTS, '--device', 'cuda:0']);
  expect(served.code).toBe(2);
  expect(served.output).toMatch(new RegExp(`device: cuda:0: ${NO_GPU}\n`));
  expect(served.output).not.toContain('serving');
  const packed = await runCli(['pack', 'shift/1', ...folders], undefined, {
    WARMSWAP_DEVICE: 'cuda',
  });
  expect(packed.code).toBe(2);
  expect(packed.output).toMatch(new RegExp(`device: cuda: ${NO_GPU}\n`));
});

test('workers and packer use the ONNX Runtime that ortLibrary names, and no other', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const folder = join(repository.path, '.ort');
  await mkdir(folder);
  const library = join(folder, 'libonnxruntime.so.1');
  await copyFile(bundledLibraryPath(), library);
  const store = join(repository.path, '.store');
  const config = await repository.daemonConfig(`ortLibrary: .ort/libonnxruntime.so.1`);
  const flags = [...config, '--store', store];
  const { process: daemon, status } = await startDaemon(repository, flags);
  expect(daemon.log.map(({ step }) => step)).toContain('packing');
  for (const { pid } of (await status()).workers) {
    expect(await mapsFile(pid, library)).toBe(true);
    expect(await mapsFile(pid, bundledLibraryPath())).toBe(false);
  }
  const rpc = await RawRpc.connect(daemon.rpcUrl);
  expect((await rpc.call('infer', shiftRequest())).error).toBeNull();
  rpc.close();
});

test.each([
  ['is not there', undefined, /ortLibrary: \S+libonnxruntime\.so: .*No such file/],
  ['is no library', 'text', /ortLibrary: \S+libonnxruntime\.so: .*(file too short|invalid ELF)/],
])('an ortLibrary that %s is refused at the start', async (_, content, message) => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  if (content !== undefined) {
    await writeFile(join(repository.path, 'libonnxruntime.so'), content);
  }
  const config = await repository.daemonConfig('ortLibrary: libonnxruntime.so');
  const flags = ['--models', repository.path, ...config];
  for (const command of [
    ['serve', ...ANY_PORTS],
    ['pack', 'shift/1'],
  ]) {
    const { code, output } = await runCli([...command, ...flags]);
    expect(code).toBe(2);
    expect(output).toMatch(message);
  }
});

test('an ortLibrary that crashes takes nothing with it but the process that tries it', async () => {
  const repository = await testRepository();
  const library = join(repository.path, 'libonnxruntime.so');
  compileLibrary(library, 'struct Crash { Crash() { __builtin_trap(); } } crash;');
  const config = await repository.daemonConfig('ortLibrary: libonnxruntime.so');
  const models = ['--models', repository.path];
  const { code, output } = await runCli(['serve', ...ANY_PORTS, ...models, ...config]);
  expect(code).toBe(2);
  expect(output).toMatch(/ortLibrary: \S+: the process that opened it ended with SIG(ILL|TRAP)/);
});

test('on a host with a GPU, the refusal of cuda names what else is missing', async () => {
  const repository = await testRepository();
  const path = await fakeNvidiaSmi(repository.path, ['0, Test GPU, GPU-1, 1000, 900, 580.65.06']);
  const device = (wanted: string) =>
    runCli(['serve', '--models', repository.path, ...ANY_PORTS, '--device', wanted], undefined, {
      PATH: path,
      CUDA_VISIBLE_DEVICES: '0',
    });
  const { code, output } = await device('cuda:1');
  expect(code).toBe(2);
  const provider = join(dirname(bundledLibraryPath()), 'libonnxruntime_providers_cuda.so');
  const lines = [
    'there is no GPU 1; the numbers are 0',
    `${provider} is missing; "warmswap setup cuda" installs it`,
  ];
  for (const line of lines) expect(output).toContain(`device: cuda:1: ${line}\n`);
});

test('pack refuses a model for a GPU that the daemon would not have', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await repository.configure('shift', 'device: cuda:0\n');
  const { code, output } = await runCli(['pack', 'shift/1', '--models', repository.path]);
  expect(output).toContain("shift: device: cuda:0 is none of the daemon's: cpu");
  expect(code).toBe(2);
});

test('a daemon on the CPU serves on when a model asks for a GPU, and status says why not there', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { reload, status } = await startDaemon(repository, [], {}, ['--workers', '1']);
  await repository.configure('shift', 'device: cuda\n');
  await reload();
  expect(await status()).toMatchObject({
    workers: [{ device: 'cpu' }],
    models: [{ name: 'shift', active: 1, problem: "device: cuda is none of the daemon's: cpu" }],
  });
});
