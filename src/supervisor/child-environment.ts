import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../config/digest.js';
import type { DaemonConfig } from '../config/schema.js';

const SHORT_IO = fileURLToPath(new URL('../../build/Release/short_io.so', import.meta.url));

/** GPUs are counted as nvidia-smi counts them, and not with the fastest first. */
const CUDA_ORDER = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };

/**
 * Takes what is a token of this configuration out of the environment of this process, and so of its
 * children, who have no use for it; a reload needs a copy of what was there before.
 */
export function hideTokens({ auth, admin }: DaemonConfig): void {
  const tokens = new Set([...auth.tokens.map((token) => token.sha256), admin.token]);
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && tokens.has(sha256(value))) Reflect.deleteProperty(process.env, name);
  }
}

export function childEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, ...CUDA_ORDER };
}

/**
 * Of a process that moves gigabytes beside others that serve: see native/preload/short_io.cc. Where the
 * system does not preload that, its system calls are as long as they are asked to be.
 */
export function packerEnvironment(): NodeJS.ProcessEnv {
  // There is no way to write a path with these.
  if (/[\s:$]/.test(SHORT_IO) || !existsSync(SHORT_IO)) return childEnvironment();
  const { LD_PRELOAD } = process.env;
  // What the user preloads may want to be first, and calls the next.
  return { ...childEnvironment(), LD_PRELOAD: LD_PRELOAD ? `${LD_PRELOAD}:${SHORT_IO}` : SHORT_IO };
}
