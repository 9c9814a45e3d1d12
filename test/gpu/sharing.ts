import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { connect } from '../../src/client/index.js';
import type { GpuStatus } from '../../src/supervisor/gpu-status.js';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';
import type { Status } from '../../src/supervisor/status.js';
import { writeMlp } from '../fixtures/mlp.js';
import { TestRepository } from '../support/repository.js';
import type { Case, Context } from './case.js';
import { expectClose } from './expect.js';
import { answer, loadOnCpu, rowValues } from './mlp-model.js';

/** Workers on one GPU that share the weights there. */

const WORKERS = 2;
/** Of the weights of one: what both may take for theirs. */
const MOST = 1.1;
/** Less than that, and the memory in use does not tell. */
const LEAST = 0.9;
/** Each is with one of the workers. */
const CONNECTIONS = 16;
const SMALL = { width: 256, layers: 4 };
const BIG = { width: 4096, layers: 8 };
/** For a try of this script: too small for what else is on a GPU. */
const QUICK = { width: 1024, layers: 8 };

type Size = typeof SMALL;

export const SHARING: readonly Case[] = [
  {
    name: `${WORKERS} workers that share weights use at most ${MOST} × those of one, and answer as the CPU`,
    needsGpu: true,
    run: shareBetweenWorkers,
  },
];

/** What a model takes beside one that has everything but its size: contexts, libraries, an owner. */
async function shareBetweenWorkers(context: Context): Promise<void> {
  const size = context.target.quick ? QUICK : BIG;
  const repository = await TestRepository.create();
  try {
    await publish(context, repository, 'small', SMALL);
    const daemon = await DaemonProcess.start(sharingFlags(context, repository));
    try {
      const admin = new AdminClient(daemon.adminUrl);
      await expectAnswers(context, daemon, 'small', SMALL);
      const before = await usedBytes(context, admin);
      await publish(context, repository, 'big', size);
      const { changes } = (await admin.post('/reload')) as ReloadResult;
      assert.deepEqual(
        changes.map(({ result }) => result),
        ['committed'],
      );
      await expectAnswers(context, daemon, 'big', size);
      await expectShared(context, admin);
      const grown = (await usedBytes(context, admin)) - before;
      const ratio = grown / weightBytes(size);
      assert.ok(ratio <= MOST && ratio >= LEAST, `${grown} bytes, ${ratio} × the weights`);
    } finally {
      await daemon.stop();
    }
  } finally {
    await repository.delete();
  }
}

function sharingFlags({ target, folder }: Context, { path }: TestRepository): string[] {
  const config = join(folder, 'warmswap.yaml');
  // Answers are compared with the processor's: in one precision.
  const settings = { gpu: { shareWeights: true }, cuda: { tf32: false } };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ ...settings, ortLibrary: target.library }));
  return [
    ...['--config', config, '--models', path, '--store', join(path, '.store')],
    ...['--device', target.device, '--workers', String(WORKERS)],
  ];
}

async function publish(
  { folder }: Context,
  repository: TestRepository,
  name: string,
  size: Size,
): Promise<void> {
  const source = join(folder, name);
  mkdirSync(source, { recursive: true });
  writeMlp(source, { ...size, external: true });
  await repository.publishFolder(name, 1, source);
}

async function expectAnswers(
  { engine, folder }: Context,
  daemon: DaemonProcess,
  name: string,
  { width }: Size,
): Promise<void> {
  const values = rowValues(1, 1, width);
  const model = await loadOnCpu(engine, join(folder, name, 'model.onnx'));
  const expected = await answer(model, values, width).finally(() => model.unload());
  for (let i = 0; i < CONNECTIONS; i++) {
    const client = await connect(daemon.rpcUrl);
    try {
      const x = { shape: [1, width], data: values };
      const { outputs } = await client.infer({ model: name, inputs: { x } });
      expectClose(outputs.y?.data as Float32Array, expected, `${name}, connection ${i}`);
    } finally {
      await client.close();
    }
  }
}

async function expectShared({ target }: Context, admin: AdminClient): Promise<void> {
  const { models, gpus } = (await admin.get('/status')) as Status;
  const problems = models.flatMap(({ versions }) => versions.flatMap(({ reason }) => reason ?? []));
  assert.deepEqual(problems, []);
  assert.equal(gpuOf(gpus, target.device).shared?.models, models.length);
}

/** Of the GPU's memory, whoever holds it. */
async function usedBytes({ target }: Context, admin: AdminClient): Promise<number> {
  const { gpus } = (await admin.get('/status')) as Status;
  const { totalBytes, freeBytes } = gpuOf(gpus, target.device);
  return totalBytes - freeBytes;
}

function gpuOf(gpus: readonly GpuStatus[], device: string): GpuStatus {
  const gpu = gpus.find((each) => each.device === device);
  if (!gpu) throw new Error(`status tells nothing of ${device}`);
  return gpu;
}

function weightBytes({ width, layers }: Size): number {
  return 4 * layers * width * (width + 1);
}
