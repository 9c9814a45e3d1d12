import { readNvidia } from '../../src/supervisor/device/nvidia.js';
import { atMost, measured, notRun, type Check, type CheckHead } from '../lib/check.js';
import { BenchDaemon } from '../lib/daemon.js';
import { seconds, type LoadResult } from '../lib/load.js';
import { totalRss } from '../lib/memory.js';
import { mid, otherMid } from '../lib/models.js';
import { owning } from '../lib/owning.js';
import { rpcRequest } from '../lib/requests.js';
import { PAUSES, QUICK_PAUSES, settleMemory } from '../lib/settle.js';
import { startSteadyLoad } from '../lib/steady-load.js';
import { SwapSequence } from '../lib/swaps.js';
import type { Target } from './lib/target.js';

/** Swaps under load: what fails, and what is held in the end. */

const FEW = 5;
const MANY = 100;
const RATE = 500;
const PACE = { connections: 16, rate: RATE };
/** What it gives on a GPU, for those who cannot have it measured. */
export const SWAP_CHECKS = {
  failed: {
    name: `failed requests, ${MANY} swaps, ${RATE} requests a second`,
    budget: atMost(0),
    unit: 'failed',
  },
  memory: { name: `VRAM after ${MANY} swaps ÷ after ${FEW}`, budget: atMost(1.02), unit: '×' },
} as const satisfies Record<string, CheckHead>;

export function measureSwaps(target: Target): Promise<Check[]> {
  return owning(async (own) => {
    const model = mid();
    const { daemonFlags: flags, quick } = target;
    const pauses = quick ? QUICK_PAUSES : PAUSES;
    const daemon = await own(
      BenchDaemon.start({ models: [model], workers: 1, flags, collectable: true }),
    );
    const swaps = new SwapSequence(daemon, model.name, [model, otherMid()]);
    const heldNow = async () => {
      await settleMemory(daemon, pauses);
      return heldBytes(daemon, target);
    };
    await underLoad(daemon, () => seconds(pauses.warmUp));
    const first = await underLoad(daemon, () => swaps.swapTimes(FEW));
    const few = await heldNow();
    const rest = await underLoad(daemon, () => swaps.swapTimes(MANY - FEW));
    return [failures([first, rest]), growth(target, few, await heldNow())];
  });
}

async function underLoad({ url }: BenchDaemon, work: () => Promise<void>): Promise<LoadResult> {
  const load = await startSteadyLoad(url, rpcRequest(mid()), PACE);
  load.begin('work');
  await work();
  return load.finish('work');
}

function failures(results: readonly LoadResult[]): Check {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const requests = [sum(results.map((result) => result.requests))];
  const failed = sum(results.map((result) => result.failures));
  const { name, budget, unit } = SWAP_CHECKS.failed;
  return measured(name, budget, [failed], { requests }, { unit });
}

function growth({ gpu }: Target, few: number | undefined, many: number | undefined): Check {
  const { name: ofGpu, budget } = SWAP_CHECKS.memory;
  const name = gpu === undefined ? ofGpu.replace('VRAM', 'RSS of the worker') : ofGpu;
  if (few === undefined || many === undefined) return notRun(name, budget, 'no nvidia-smi');
  return measured(name, budget, [many / few], { few: [few], many: [many] });
}

/** Of the GPU's memory, whoever holds it; of a daemon on the CPU, of its worker's. */
async function heldBytes(daemon: BenchDaemon, { gpu }: Target): Promise<number | undefined> {
  if (gpu === undefined) return totalRss((await daemon.workers()).map(({ pid }) => pid));
  const { gpus } = await readNvidia();
  const { totalBytes, freeBytes } = gpus.find(({ index }) => index === gpu) ?? {};
  return totalBytes === undefined || freeBytes === undefined ? undefined : totalBytes - freeBytes;
}
