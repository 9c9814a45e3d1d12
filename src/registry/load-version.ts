import { gpuOf, type Device } from '../config/device.js';
import type { NativeModelOptions } from '../native/binding.js';
import type { Engine, EngineModel, Slab } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';
import { probeBatching } from './batch-probe.js';
import type { VersionOptions, VersionPlan } from './plan.js';
import type { Version } from './version.js';
import type { WeightSource } from './weight-source.js';
import { warmUp } from './warmup.js';

export interface LoadContext {
  engine: Engine;
  /** The worker's, for versions without one of their own. */
  device: Device;
  /** Where weights in a GPU's memory come from that other workers use, too; none: nowhere. */
  weights?: WeightSource | undefined;
}

/**
 * Takes a planned version to `ready`: maps it, creates its session, warms it with what `active`, the
 * model's active version, has answered, and proves that its requests may be batched if they are to
 * be. Rejects with the reason, after which the version is `failed` and holds nothing; with CANCELLED
 * soon after `signal` aborts while its session is made. A warm-up that fails is noted in
 * `warmUpProblem`; the gates judge it.
 */
export async function loadVersion(
  context: LoadContext,
  version: Version,
  active: () => Version | undefined,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const started = performance.now();
    const unpacked = startsUnpacked(version.plan, active());
    await createSession(context, version, unpacked, signal);
    const loaded = performance.now();
    version.moveTo('warming');
    await warmUp(version, active());
    if (version.plan.options.batching) await probeBatching(version);
    version.times = { loadMs: loaded - started, warmMs: performance.now() - loaded };
    version.moveTo('ready');
  } catch (error) {
    await version.discard();
    throw error;
  }
}

/** Of a version that serves before its packed weights are in use. */
const MOST_SLOWDOWN = 3;
/** Of its artifact. Below, packed weights take less time than anybody notices. */
const LEAST_QUICK_START_BYTES = 64 * 1024 * 1024;

/**
 * Using packed weights takes about a second a gigabyte, the rest milliseconds. Where another version
 * serves, that is no matter. The last bits of answers may differ before and after.
 */
function startsUnpacked({ artifact, options }: VersionPlan, active: Version | undefined): boolean {
  const isServed = active !== undefined && !active.isAway;
  if (isServed || !options.quickStart || artifact?.form !== 'prepacked') return false;
  if (artifact.bytes < LEAST_QUICK_START_BYTES) return false;
  return artifact.unpackedSlowdown > 0 && artifact.unpackedSlowdown <= MOST_SLOWDOWN;
}

async function createSession(
  { engine, device, weights }: LoadContext,
  version: Version,
  unpacked: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { modelPath, options, artifact } = version.plan;
  version.moveTo('mapping');
  version.isUnpacked = unpacked;
  // The packer measured what loading takes.
  const reserveBytes = artifact?.loadBytes;
  const gpu = gpuOf(options.device ?? device);
  const native: NativeModelOptions = {
    ...{ modelPath, reserveBytes },
    ...threading(options),
    ...scheduling(options),
    ...onDevice(options.device ?? device, version.plan, unpacked),
  };
  const load = (slab?: Slab) =>
    engine.load(withWeights(native, slab), () => onMapped(version), signal);
  const isShared = options.sharesWeights && artifact?.form === 'external';
  const shared =
    isShared && weights && gpu !== undefined
      ? await loadShared(version, weights, gpu, load, signal)
      : undefined;
  const model = shared ?? (await load());
  version.attach(model);
  version.mappedBytes = model.mappedBytes;
  if (signal?.aborted) throw new WarmswapError('CANCELLED', 'no longer wanted');
}

/** A load that is tried again maps the files again. */
function onMapped(version: Version): void {
  if (version.state === 'mapping') version.moveTo('loading');
}

function withWeights(native: NativeModelOptions, weights: Slab | undefined): NativeModelOptions {
  if (!native.cuda || !weights) return native;
  return { ...native, cuda: { ...native.cuda, weights } };
}

/** Nothing where that cannot be: then the version says why, and has weights of its own. */
async function loadShared(
  version: Version,
  weights: WeightSource,
  gpu: number,
  load: (slab: Slab) => Promise<EngineModel>,
  signal: AbortSignal | undefined,
): Promise<EngineModel | undefined> {
  const { modelPath } = version.plan;
  let giveBack: (() => void) | undefined;
  try {
    const lease = await weights.borrow(modelPath, gpu, signal);
    giveBack = () => lease.giveBack();
    const model = await load(lease.slab);
    version.onUnloaded = giveBack;
    return model;
  } catch (error) {
    giveBack?.();
    if (signal?.aborted) throw error;
    version.weightsProblem = `it has weights of its own on cuda:${gpu}: ${(error as Error).message}`;
    return undefined;
  }
}

/** What the packer wrote for the processor is optimised already. */
function onDevice(device: Device, { artifact, options }: VersionPlan, unpacked: boolean) {
  if (device === 'cpu') return { optimised: artifact !== undefined, unpacked };
  const execution = 'threaded' as const;
  if (device === 'webgpu') return { execution, webgpu: true };
  return { execution, cuda: { deviceId: gpuOf(device) ?? 0, ...options.cuda } };
}

function threading({ execution, instances, threads: { intraOp, spinning } }: VersionOptions) {
  return { execution, runnerThreads: instances, intraOpThreads: intraOp, spinning };
}

function scheduling({ queueCapacity, priorities, batching }: VersionOptions) {
  return { queueCapacity, priorities, ...batching };
}
