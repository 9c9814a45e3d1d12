import { describe, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/cli/doctor/report.js';
import type * as TryLibraryModule from '../../src/supervisor/device/try-library.js';
import { writeMlp } from '../fixtures/mlp.js';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc } from '../support/raw-rpc.js';

/** `device: webgpu`, on whatever adapter this host has: one in software will do. */

const WIDTH = 64;
const TOLERANCE = 1e-4;
const NO_ADAPTER = { VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' };

/** The built one: what it starts is built, too. */
const built = new URL('../../dist/supervisor/device/try-library.js', import.meta.url).href;
const { tryLibrary } = (await import(built)) as typeof TryLibraryModule;
const hasAdapter = !('problem' in (await tryLibrary(undefined, 'webgpu')));

const command = (...args: string[]) => ['serve', '--port', '0', '--admin-port', '0', ...args];

test('where there is no adapter, webgpu is refused with the cause instead of using the CPU', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const args = command('--models', repository.path, '--device', 'webgpu');
  const { code, output } = await runCli(args, undefined, NO_ADAPTER);
  expect(code).toBe(2);
  expect(output).toMatch(/device: webgpu: no model runs on WebGPU: .*WebGPU.*adapter/);
  expect(output).not.toContain('serving');
});

test('the doctor says that no model runs on WebGPU, and what to do', async () => {
  const repository = await testRepository();
  const config = await repository.daemonConfig('device: webgpu\nmodels: .\n');
  const { output, code } = await runCli(['doctor', '--json', ...config], undefined, NO_ADAPTER);
  const { checks } = JSON.parse(output) as DoctorReport;
  expect(checks.find(({ name }) => name === 'model on WebGPU')).toMatchObject({
    status: 'warn',
    remedy: expect.stringContaining('libvulkan1') as string,
  });
  expect(checks.find(({ name }) => name === 'device')?.status).toBe('fail');
  expect(code).toBe(1);
});

describe.skipIf(!hasAdapter)('with an adapter', () => {
  test('models answer as on the CPU, in batches, while others run and versions are swapped', async () => {
    const repository = await testRepository();
    for (const name of ['one', 'other']) await publishMlp(name, 1, 1);
    await repository.configure('one', 'batching: { maxBatch: 8 }\ninstances: 2\n');
    await publishMlp('reference', 1, 1);
    await repository.configure('reference', 'device: cpu');
    const flags = ['--device', 'webgpu'];
    const { process: daemon, reload, status } = await startDaemon(repository, flags, {}, []);
    expect((await status()).workers.map(({ device }) => device)).toEqual(['webgpu']);
    const rpc = await RawRpc.connect(daemon.rpcUrl);
    const asked = Array.from({ length: 60 }, async (_, row) => {
      const [expected, ...answers] = await Promise.all(
        ['reference', 'one', 'other'].map((model) => ask(rpc, model, row)),
      );
      for (const answer of answers) expectClose(answer, expected);
    });
    await publishMlp('other', 2, 1);
    const { changes } = await reload();
    expect(changes).toMatchObject([{ model: 'other', to: 2, result: 'committed' }]);
    await Promise.all(asked);
    rpc.close();

    async function publishMlp(name: string, version: number, seed: number): Promise<void> {
      const source = await testRepository();
      writeMlp(source.path, { width: WIDTH, layers: 3, seed, external: true });
      await repository.publishFolder(name, version, source.path);
    }
  });

  test('execution: inline is refused, it is for the CPU', async () => {
    const repository = await testRepository();
    await repository.publish('shift', 1);
    await repository.publish('wrong', 1, 'shift');
    await repository.configure('wrong', 'execution: inline');
    const { status } = await startDaemon(repository, ['--device', 'webgpu'], {}, []);
    const problem = 'execution: inline is for models on the CPU';
    expect((await status()).models.find(({ name }) => name === 'wrong')).toMatchObject({ problem });
  });
});

async function ask(rpc: RawRpc, model: string, row: number): Promise<Float32Array> {
  const values = Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(i + row));
  const bytes = new Uint8Array(values.buffer);
  const inputs = { x: { datatype: 'FP32', shape: [1, WIDTH], data: bytes } };
  const { error, result } = await rpc.call('infer', { model, inputs });
  expect(error).toBeNull();
  const data = result.outputs.y?.data as Uint8Array;
  return new Float32Array(data.slice().buffer);
}

function expectClose(answer: Float32Array, expected: Float32Array | undefined): void {
  expect(answer).toHaveLength(WIDTH);
  const scale = Math.max(...(expected ?? []).map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  answer.forEach((value, i) => {
    expect(Math.abs(value - (expected?.[i] ?? NaN))).toBeLessThan(TOLERANCE * scale);
  });
}
