import { gpuOf, type Device } from '../config/device.js';
import type { NativeModelOptions } from '../native/binding.js';
import type { Engine, EngineModel, Slab } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';
import { probeBatching } from './batch-probe.js';
import type { VersionOptions, VersionPlan } from './plan.js';
import type { Version } from './version.js';
import type { WeightLease, WeightSource } from './weight-source.js';
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
  let lease: WeightLease | undefined;
  try {
    const started = performance.now();
    version.isUnpacked = startsUnpacked(version.plan, active());
    lease = await borrowWeights(context, version, signal);
    await createSession(context, version, lease, signal);
    const loaded = performance.now();
    version.moveTo('warming');
    await warmUp(version, active());
    if (version.plan.options.batching) await probeBatching(version);
    version.times = { loadMs: loaded - started, warmMs: performance.now() - loaded };
    version.moveTo('ready');
  } catch (error) {
    await version.discard();
    throw error;
  } finally {
    // Runs take memory of the GPU, too, at first: not while another worker looks at what is free.
    lease?.settle();
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
  { engine, device }: LoadContext,
  version: Version,
  lease: WeightLease | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { modelPath, options, artifact } = version.plan;
  version.moveTo('mapping');
  // The packer measured what loading takes.
  const reserveBytes = artifact?.loadBytes;
  const native: NativeModelOptions = {
    ...{ modelPath, reserveBytes },
    ...threading(options),
    ...scheduling(options),
    ...onDevice(options.device ?? device, version),
  };
  const load = (slab?: Slab) =>
    engine.load(withWeights(native, slab), () => onMapped(version), signal);
  const shared = lease && (await loadShared(version, lease, load, signal));
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

/** Nothing where the version is not to share any, or there are none to be had: then it says why. */
async function borrowWeights(
  { device, weights }: LoadContext,
  version: Version,
  signal: AbortSignal | undefined,
): Promise<WeightLease | undefined> {
  const { modelPath, options, artifact } = version.plan;
  const gpu = gpuOf(options.device ?? device);
  const isShared = options.sharesWeights && artifact?.form === 'external';
  if (!isShared || !weights || gpu === undefined) return undefined;
  try {
    return await weights.borrow(modelPath, gpu, signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    version.weightsProblem = ownWeights(error);
    return undefined;
  }
}

/** Nothing where they cannot be used: then the version says why, and is to have weights of its own. */
async function loadShared(
  version: Version,
  lease: WeightLease,
  load: (slab: Slab) => Promise<EngineModel>,
  signal: AbortSignal | undefined,
): Promise<EngineModel | undefined> {
  try {
    const model = await load(lease.slab);
    version.onUnloaded = () => lease.giveBack();
    return model;
  } catch (error) {
    lease.giveBack();
    if (signal?.aborted) throw error;
    version.weightsProblem = ownWeights(error);
    return undefined;
  }
}

function ownWeights(error: unknown): string {
  return `it has weights of its own on its GPU: ${(error as Error).message}`;
}

/** What the packer wrote for the processor is optimised already. */
function onDevice(device: Device, { isUnpacked, plan: { artifact, options } }: Version) {
  if (device === 'cpu') return { optimised: artifact !== undefined, unpacked: isUnpacked };
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
