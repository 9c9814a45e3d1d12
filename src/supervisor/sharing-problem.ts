import { gpuOf, type Device } from '../config/device.js';
import { titleOf } from './device/choose-device.js';

/** Why weights in a GPU's memory cannot be shared, or only some; nothing where they can. */
export function sharingProblem(devices: readonly Device[], workers: number): string | undefined {
  const [first = 'cpu'] = devices;
  if (gpuOf(first) === undefined) return `nothing is shared on ${titleOf(first)}: it takes CUDA`;
  if (workers === 1) return 'nothing is shared: it takes several workers, and there is one';
  if (workers > devices.length) return undefined;
  return (
    `only models with a GPU of their own in model.yaml are shared: ` +
    `there is no more than one worker for each of the ${devices.length} GPUs`
  );
}
