import { TOKEN_VARIABLE } from '../config/load.js';

/** GPUs are counted as nvidia-smi counts them, and not with the fastest first. */
const CUDA_ORDER = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };

/** The environment of this process without its secret, which its children have no use for. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => name !== TOKEN_VARIABLE);
  return { ...Object.fromEntries(kept), ...CUDA_ORDER };
}
