import { sha256 } from '../config/digest.js';
import type { DaemonConfig } from '../config/schema.js';

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
