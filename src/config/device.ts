import { z } from 'zod';

/** What models run on, by its name. GPUs are counted as nvidia-smi counts them. */
export type Device = 'cpu' | 'webgpu' | `cuda:${number}`;

/** What artifacts are made for: they fit all GPUs of a kind. */
export type DeviceKind = 'cpu' | 'cuda' | 'webgpu';

const GPU = '(0|[1-9]\\d{0,2})';
const DAEMON = new RegExp(`^(auto|cpu|webgpu|cuda(:${GPU}(,${GPU})*)?)$`);
const MODEL = new RegExp(`^(auto|cpu|cuda(:${GPU})?)$`);
const daemonText = 'expected auto, cpu, cuda, cuda:0,1 or webgpu';
const modelText = 'expected auto, cpu, cuda or cuda:0';

/** Of warmswap.yaml; `cuda` alone stands for all GPUs. */
export const daemonDevice = z
  .string({ error: daemonText })
  .regex(DAEMON, daemonText)
  .refine((text) => new Set(namedGpus(text)).size === namedGpus(text).length, 'names a GPU twice');

/** Of model.yaml; `auto` is the device of the worker, and `cuda` too, which has to be a GPU then. */
export const modelDevice = z.string({ error: modelText }).regex(MODEL, modelText);

/** The numbers of the GPUs that a device names; none of `cuda` alone. */
export function namedGpus(device: string): number[] {
  return device.split(':')[1]?.split(',').map(Number) ?? [];
}

/** The number of the GPU, as CUDA counts them; nothing of others. */
export function gpuOf(device: Device): number | undefined {
  return namedGpus(device)[0];
}

export function deviceKind(device: Device): DeviceKind {
  return device === 'cpu' || device === 'webgpu' ? device : 'cuda';
}
