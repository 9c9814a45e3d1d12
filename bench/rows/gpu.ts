import { DAEMON_CHECKS, measureDaemon } from '../gpu/daemon.js';
import { BareEngine } from '../gpu/lib/engine-model.js';
import { findTarget, type Skipped, type Target } from '../gpu/lib/target.js';
import { measureSwaps, SWAP_CHECKS } from '../gpu/swaps.js';
import type { Check } from '../lib/check.js';
import { projectRoot } from '../lib/paths.js';
import type { Row, Settings } from '../lib/row.js';

/** What DESIGN §8 asks for on a GPU: the same as `bench:gpu`, which measures more. */

const CHECKS = [SWAP_CHECKS.failed, SWAP_CHECKS.memory, ...DAEMON_CHECKS];

export const onGpu: Row = {
  name: 'gpu',
  about: 'failures and VRAM over 100 swaps; rows a second ÷ those of a bare session',
  run: async (settings) => {
    const target = await findTarget(targetArguments(settings));
    return (await checksOf(target, settings)).map((check) => ({
      ...check,
      name: `GPU, ${check.name}`,
    }));
  },
};

async function checksOf(target: Target | Skipped, settings: Settings): Promise<Check[]> {
  if ('skipped' in target) {
    const reason = target.skipped.replaceAll(`${projectRoot}/`, '');
    return CHECKS.map((head) => ({ ...head, notRun: reason }));
  }
  try {
    return [...(await measureSwaps(target)), ...(await daemonBesideBare(target, settings))];
  } finally {
    target.close();
  }
}

function targetArguments({ quick }: Settings): string[] {
  const library = process.env.WARMSWAP_ORT_LIBRARY;
  return [
    ...(quick ? ['--quick'] : []),
    ...(library === undefined ? [] : ['--ort-library', library]),
  ];
}

async function daemonBesideBare(target: Target, settings: Settings): Promise<Check[]> {
  const { repeats, duration } = settings;
  const bare = new BareEngine(target);
  try {
    return await measureDaemon(bare, target, { repeats, seconds: duration.seconds });
  } finally {
    bare.close();
  }
}
