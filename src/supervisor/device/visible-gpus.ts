import type { Gpu } from './nvidia.js';

/**
 * The GPUs that CUDA_VISIBLE_DEVICES lets programs see, counted as they see them. As CUDA does, it takes
 * numbers or (beginnings of) UUIDs, and nothing from the first one on that there is not.
 */
export function visibleGpus(gpus: readonly Gpu[], visible: string | undefined): Gpu[] {
  if (visible === undefined) return [...gpus];
  const chosen: Gpu[] = [];
  for (const name of visible.split(',').map((text) => text.trim())) {
    const gpu = gpus.find((each) => isNamed(each, name)) ?? partOfGpu(name);
    if (!gpu || chosen.some(({ uuid }) => uuid === gpu.uuid)) break;
    chosen.push({ ...gpu, index: chosen.length });
  }
  return chosen;
}

/** nvidia-smi does not list the parts that a GPU has been cut into. */
function partOfGpu(name: string): Gpu | undefined {
  return /^MIG-./.test(name) ? { index: 0, name: 'MIG device', uuid: name } : undefined;
}

function isNamed({ index, uuid }: Gpu, name: string): boolean {
  if (/^\d+$/.test(name)) return index === Number(name);
  return /^GPU-./.test(name) && uuid.startsWith(name);
}
