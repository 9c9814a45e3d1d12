import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Check } from '../../src/cli/doctor/check.js';
import type { DoctorReport } from '../../src/cli/doctor/report.js';
import { bundledLibraryPath } from '../../src/native/binding.js';
import { runCli } from '../support/cli.js';
import { installPair } from '../support/certificates.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { fakeNvidiaSmi } from '../support/fake-nvidia-smi.js';

/** Runs the doctor over a configuration with free ports, unless it says otherwise. */
async function doctor(
  yaml: string,
  environment: (folder: string) => Promise<object> = noVariables,
) {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const ports = yaml.includes('port:') ? '' : 'listen: { port: 0 }\nadmin: { port: 0 }\n';
  const config = await repository.daemonConfig(`models: .\nstore: .store\n${ports}${yaml}`);
  const variables = await environment(repository.path);
  const { code, output } = await runCli(['doctor', '--json', ...config], undefined, {
    WARMSWAP_STORE: join(repository.path, '.store'),
    ...variables,
  });
  const report = JSON.parse(output) as DoctorReport;
  const check = (name: string) => report.checks.find((one) => one.name === name) as Check;
  return { code, report, check, repository };
}

const noVariables = () => Promise.resolve({});

test('a host that can run the daemon has no failing check, and exit code 0', async () => {
  const { code, report, check, repository } = await doctor('device: cpu');
  expect(code).toBe(0);
  expect(report.checks.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(check('ONNX Runtime').details).toMatchObject({
    path: bundledLibraryPath(),
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    providers: expect.arrayContaining(['CPUExecutionProvider']) as string[],
  });
  expect(check('addon')).toMatchObject({ status: 'ok' });
  expect(check('shared port')).toMatchObject({ status: 'ok' });
  expect(check('repository').found).toBe(`${repository.path}, 1 model`);
  expect(check('artifact store').details).toMatchObject({
    ...{ store: join(repository.path, '.store') },
    freeBytes: expect.any(Number) as number,
  });
  expect(check('memory').details?.availableBytes).toBeGreaterThan(0);
  expect(report.checks.every(({ status, remedy }) => status === 'ok' || remedy)).toBe(true);
});

test('what the daemon cannot run with fails, with the remedy and exit code 1', async () => {
  const { code, check } = await doctor('ortLibrary: nothing.so\ndevice: cuda', () =>
    Promise.resolve({ WARMSWAP_MODELS: '/nowhere' }),
  );
  expect(code).toBe(1);
  expect(check('ONNX Runtime')).toMatchObject({
    status: 'fail',
    found: expect.stringContaining('No such file') as string,
    remedy: expect.stringContaining('ortLibrary') as string,
  });
  expect(check('repository')).toMatchObject({ status: 'fail' });
  expect(check('device')).toMatchObject({ status: 'fail', details: { wanted: 'cuda' } });
});

test('a port that something else holds fails; one of a running daemon is warned of', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process: daemon } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const adminPort = new URL(daemon.adminUrl).port;
  const { code, check } = await doctor(`listen: { port: ${port} }\nadmin: { port: ${adminPort} }`);
  expect(code).toBe(1);
  expect(check('data port')).toMatchObject({
    status: 'fail',
    found: `127.0.0.1:${port} is taken`,
    remedy: expect.stringContaining('listen.port') as string,
  });
  expect(check('admin port')).toMatchObject({ status: 'warn' });
});

test('a daemon behind TLS is known, and its certificate looked at', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await installPair(repository.path, 'first');
  const tls = 'tls: { cert: cert.pem, key: key.pem }';
  const yaml = await repository.daemonConfig(`listen: { ${tls} }`);
  const { process: daemon } = await startDaemon(repository, yaml, {}, ['--workers', '1']);
  const { port } = new URL(daemon.rpcUrl);
  const configuration = `listen: { port: ${port}, ${tls} }\nadmin: { port: 0 }`;
  const right = await doctor(configuration, (folder) =>
    installPair(folder, 'first').then(() => ({})),
  );
  expect(right.code).toBe(0);
  expect(right.check('data port')).toMatchObject({ status: 'warn' });
  expect(right.check('certificate').found).toContain('localhost');
  const wrong = await doctor(configuration, (folder) =>
    installPair(folder, 'first', 'second').then(() => ({})),
  );
  expect(wrong.code).toBe(1);
  expect(wrong.check('certificate')).toMatchObject({
    status: 'fail',
    found: expect.stringContaining('is not the key of the certificate') as string,
  });
});

test('GPUs are told with their VRAM, and what CUDA lacks beside them', async () => {
  const { code, check } = await doctor('device: auto', async (folder) => ({
    PATH: await fakeNvidiaSmi(folder, ['0, Test GPU, GPU-1, 143771, 143000, 580.65.06']),
    CUDA_VISIBLE_DEVICES: '0',
  }));
  expect(code).toBe(0);
  expect(check('GPU 0').details).toMatchObject({
    ...{ name: 'Test GPU', uuid: 'GPU-1' },
    ...{ totalBytes: 143771 * 2 ** 20, freeBytes: 143000 * 2 ** 20 },
  });
  expect(check('CUDA provider')).toMatchObject({
    status: 'warn',
    remedy: expect.stringContaining('warmswap setup cuda') as string,
  });
  expect(check('device').details).toMatchObject({ wanted: 'auto', devices: ['cpu'] });
});

test('people get a table, and a configuration that cannot be used exit code 2', async () => {
  const repository = await testRepository();
  const config = await repository.daemonConfig(
    'models: .\nlisten: { port: 0 }\nadmin: { port: 0 }',
  );
  const { code, output } = await runCli(['doctor', ...config]);
  expect(code).toBe(0);
  expect(output).toMatch(/^ok +addon +built, loads$/m);
  expect(output).toMatch(/^\d+ ok, \d+ to look at, 0 that the daemon cannot run with$/m);
  const wrong = await repository.daemonConfig('device: tpu');
  expect(await runCli(['doctor', ...wrong])).toMatchObject({
    code: 2,
    output: expect.stringContaining('device: expected auto, cpu, cuda') as string,
  });
});
